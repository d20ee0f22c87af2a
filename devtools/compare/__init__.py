"""`dev.py compare`: one picture, best of N and LiDAR at equal seconds, on any ComfyUI with this pack and a list of prompts.

The way of the data: a workflow becomes a `Task`, the task three graphs a prompt and seed (`methods`), each graph a row in
rows.jsonl (`cell`), the rows figures (`figures`), and these a page with pictures (`report`, `sheet`). Standard library and
Pillow alone, so that it can also run beside a ComfyUI on another machine.
"""
