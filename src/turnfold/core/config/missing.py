"""What a layer says of a setting when it says no value: nothing at all, or "as the default"."""

from __future__ import annotations

from typing import final

from attrs import frozen


@final
@frozen
class Missing:
    """``MISSING``: the setting is not mentioned, so the layer below is asked. ``DEFAULT``: it is put back to the default,
    whatever the layers below say. Neither is the same as an empty value.
    """

    mentioned: bool = False


MISSING: Missing = Missing()
DEFAULT: Missing = Missing(mentioned=True)
