"""Files that are whole or not there, folders, locks and temporary files."""

from dedupe.disk.files import (
    DRAFT_NAME,
    check,
    clear_draft,
    create,
    draft_name,
    lacks_room,
    replace,
    settle,
    sync,
    write_all,
)
from dedupe.disk.locks import try_lock, try_lock_folders
from dedupe.disk.temporary import storing, temporary_file, too_many_open
from dedupe.disk.trees import make_folders, remove_tree

__all__ = [
    "DRAFT_NAME",
    "check",
    "clear_draft",
    "create",
    "draft_name",
    "lacks_room",
    "make_folders",
    "remove_tree",
    "replace",
    "settle",
    "storing",
    "sync",
    "temporary_file",
    "too_many_open",
    "try_lock",
    "try_lock_folders",
    "write_all",
]
