"""Loads a module from its source, as a new process would."""

import importlib.util
import sys
from contextlib import contextmanager


@contextmanager
def loading(path, source):
    """Yield a function that loads a file with this source anew each time."""
    path.write_text(source)

    def load():
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[path.stem] = module
        spec.loader.exec_module(module)
        return module

    yield load
    del sys.modules[path.stem]
