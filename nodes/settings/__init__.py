"""The settings of LiDAR: one definition each, presets, and all of them as one value. No host code but the schema's."""
