"""How servers are reached: in plain text or by TLS, and with which token."""

import os
from dataclasses import dataclass, field
from typing import Any, Mapping, Optional, Tuple, Union

#: Files of certificates: "ca", of those that issue the servers'; "cert" and "key", this program's own.
Tls = Mapping[str, Union[str, "os.PathLike[str]"]]
#: A token, or a path of the file whose first line it is.
Token = Union[str, "os.PathLike[str]"]

_FILES = ("ca", "cert", "key")


@dataclass(frozen=True)
class Access:
    """What it takes to reach servers, checked. Files are read where connections are made, and anew when they change."""

    #: The files of `tls`, in the order ca, cert, key; None: in plain text.
    tls: Optional[Tuple[str, Optional[str], Optional[str]]] = None
    #: The token itself. It is in no message.
    token: Optional[str] = field(default=None, repr=False)
    #: The file of the token.
    token_file: Optional[str] = None

    @classmethod
    def of(cls, tls: Optional[Tls], token: Optional[Token]) -> "Access":
        """What the keywords `tls` and `token` say. TypeError and ValueError name what cannot be right, and no token."""
        files = None if tls is None else _files(tls)
        if token is None or isinstance(token, str):
            return cls(files, _token(token), None)
        if not isinstance(token, os.PathLike):
            raise TypeError(
                f"token=: give the token as a text, or its file as a path, and not a {type(token).__name__}"
            )
        return cls(files, None, os.fspath(token))


def _files(tls: Any) -> Tuple[str, Optional[str], Optional[str]]:
    what = 'give files in PEM: {"ca": ...}, and {"cert": ..., "key": ...} where servers ask for a certificate'
    if not isinstance(tls, Mapping):
        raise TypeError(f"tls={tls!r}: {what}")
    unknown = sorted(str(name) for name in tls if name not in _FILES)
    if unknown:
        raise ValueError(f"tls= has no {', '.join(unknown)}: {what}")
    ca, cert, key = (None if tls.get(name) is None else os.fspath(tls[name]) for name in _FILES)
    if ca is None:
        raise ValueError(f'tls= without "ca", the authority that issued the servers\' certificates: {what}')
    if (cert is None) != (key is None):
        raise ValueError(f'tls= has one of "cert" and "key": they go together; {what}')
    return ca, cert, key


def _token(token: Optional[str]) -> Optional[str]:
    if token is not None and not token.strip():
        raise ValueError("token= is empty: give the token, or its file as a pathlib.Path")
    return token
