"""A property that is computed once, without a lock that a child process could inherit.

Until Python 3.12, `functools.cached_property` held a lock while it computed. A process
that forks meanwhile gives its child a lock that nobody will ever open.
"""

import functools
import sys
from typing import TYPE_CHECKING, Any

__all__ = ["cached_property"]

if TYPE_CHECKING or sys.version_info >= (3, 12):
    from functools import cached_property
else:

    class cached_property(functools.cached_property):  # noqa: N801  As in functools.
        """Computes a value when it is first asked for, and keeps it in the instance.

        Two threads that ask at once both compute it, and one of the two values is kept.
        """

        def __get__(self, instance: object, owner: type | None = None) -> Any:
            """Return the value, or the property itself when the class is asked."""
            if instance is None:
                return self
            value = instance.__dict__[self.attrname] = self.func(instance)
            return value
