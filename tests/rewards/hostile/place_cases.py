"""Things in the file system that are no plain file, odd names, and files that change or fail while they are read."""

import os
import socket
import threading

from sound import CONFIG, Case, write_clip


def instead_of_the_file(folder, make, name="x.safetensors"):
    write_clip(folder)
    make(folder / name)
    return Case(folder / name)


def instead_of(folder, name, make):
    path = write_clip(folder)
    (folder / name).unlink(missing_ok=True)
    make(folder / name)
    return Case(path, blamed=name)


def named(folder, name):
    path = write_clip(folder)
    target = os.fsencode(folder) + b"/" + name
    os.rename(os.fsencode(path), target)
    return Case(os.fsdecode(target), loads=True)


def named_and_spoilt(folder, name):
    case = named(folder, name)
    with open(case.path, "r+b") as file:
        file.truncate(200)
    return Case(case.path)


def bind(path):
    server = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(path.parent)  # a socket's path may have at most 108 bytes
    try:
        server.bind(path.name)
    finally:
        os.chdir(here)
        server.close()


def loop(path):
    path.symlink_to(path.name)


def chain(path):
    for number in range(60):
        (path.parent / f"link{number}").symlink_to(f"link{number + 1}")
    path.symlink_to("link0")


def racing(folder, name, size):
    """The file is cut again and again while it is read, and written anew."""
    path = write_clip(folder, name)
    content, stop = path.read_bytes(), threading.Event()

    def race():
        while not stop.is_set():
            with open(path, "r+b") as file:
                file.truncate(size)
                file.write(content)

    thread = threading.Thread(target=race, daemon=True)
    thread.start()
    return Case(path, loads=None, options={"stop": stop})


def while_reading(folder, name, act):
    """`act` happens to the file after its table was read and before its numbers are."""
    from reward_models.tensor_entry import TensorEntry

    path, read = write_clip(folder, name), TensorEntry.read

    def acting(entry, file):
        TensorEntry.read = read
        act(path, file)
        return read(entry, file)

    TensorEntry.read = acting
    return Case(path, loads=None if act in (vanish, grow) else False)


def vanish(path, file):
    path.unlink()


def grow(path, file):
    with open(path, "ab") as end:
        end.write(bytes(1000))


def shrink(path, file):
    os.truncate(path, 100)


def fail(path, file):
    raise OSError(5, "Input/output error")


def no_memory(path, file):
    raise MemoryError


def forbidden(folder, name):
    """The system refuses to open this file once, as chmod cannot make it do for root."""
    path, opening = write_clip(folder), os.open
    target = str(folder / name)

    def refusing(opened, *given, **named):
        if os.fspath(opened) != target:
            return opening(opened, *given, **named)
        os.open = opening
        raise PermissionError(13, "Permission denied", target)

    os.open = refusing
    return Case(path, blamed=name)


def linked_folder(folder):
    path = write_clip(folder)
    (folder / "link").symlink_to(folder, target_is_directory=True)
    return Case(folder / "link" / path.name, loads=True)


KINDS = {
    "a folder": os.mkdir, "a pipe": os.mkfifo, "a socket": bind, "a loop of links": loop, "a long chain of links": chain,
    "a link to nothing": lambda path: path.symlink_to("gone"),
    "a device of zeros": lambda path: path.symlink_to("/dev/zero"), "a device of noise": lambda path: path.symlink_to("/dev/urandom"),
    "the null device": lambda path: path.symlink_to("/dev/null"), "a terminal": lambda path: path.symlink_to("/dev/tty"),
    "memory of the process": lambda path: path.symlink_to("/proc/self/mem"), "a file of the kernel": lambda path: path.symlink_to("/proc/self/maps"),
    "standard input": lambda path: path.symlink_to("/dev/stdin"), "a link to a folder": lambda path: path.symlink_to("/tmp"),
    "nothing": lambda path: None,
}  # fmt: skip
NAMES = {
    "Chinese": "模型.safetensors".encode(), "an emoji": "🦙.safetensors".encode(), "no UTF-8": b"\xff\xfe\x80.safetensors",
    "a line end": b"a\nTraceback.safetensors", "terminal codes": b"\x1b[2J\x07.safetensors", "right to left": "\u202egnp.safetensors".encode(),
    "255 bytes": b"a" * 243 + b".safetensors", "255 bytes of no UTF-8": b"\x80" * 243 + b".safetensors", "spaces": b"  .safetensors",
    "percent and braces": b"%s{0}%n{file}.safetensors", "a quote": b"'\";--.safetensors", "a dash": b"--help.safetensors",
    "HTML": b"<img src=x>.safetensors",
    "combining": ("e" + "\u0301" * 60 + ".safetensors").encode(), "no extension": b"model",
}  # fmt: skip
CASES = {f"file is {name}": lambda folder, make=make: instead_of_the_file(folder, make) for name, make in KINDS.items()}
CASES |= {
    f"configuration is {name}": lambda folder, make=make: instead_of(folder, CONFIG, make)
    for name, make in KINDS.items()
}
CASES |= {
    f"vocabulary is {name}": lambda folder, make=make: instead_of(folder, "words.gz", make)
    for name, make in KINDS.items()
}
CASES |= {f"named with {label}": lambda folder, name=name: named(folder, name) for label, name in NAMES.items()}
CASES |= {
    f"spoilt and named with {label}": lambda folder, name=name: named_and_spoilt(folder, name)
    for label, name in NAMES.items()
}
CASES |= {
    f"{what} while {file} is read": lambda folder, file=file, act=act: while_reading(folder, file, act)
    for file in ("x.safetensors", "x.pt")
    for what, act in {"vanishes": vanish, "grows": grow, "shrinks": shrink, "the disk fails": fail, "no memory": no_memory}.items()
}  # fmt: skip
CASES |= {
    f"{name} cut to {size} again and again": lambda folder, name=name, size=size: racing(folder, name, size)
    for name in ("x.safetensors", "x.pt")
    for size in (0, 4000)
}
CASES |= {
    "the checkpoint may not be opened": lambda folder: forbidden(folder, "tiny.safetensors"),
    "the configuration may not be opened": lambda folder: forbidden(folder, CONFIG),
    "a name with a zero": lambda folder: Case(os.fspath(write_clip(folder)) + "\x00.pt"),
    "a name of 5000 letters": lambda folder: Case(os.fspath(write_clip(folder).parent / ("a" * 5000))),
    "a path of 5000 letters": lambda folder: Case(os.fspath(write_clip(folder).parent) + "/." * 2500 + "/x.pt"),
    "a file as a folder": lambda folder: Case(write_clip(folder) / "x.pt", blamed=CONFIG), "a linked folder": linked_folder,
    "the folder itself": lambda folder: Case(write_clip(folder).parent, blamed=CONFIG), "the root": lambda folder: Case(os.sep + "."),
}  # fmt: skip
