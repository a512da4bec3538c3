"""What the modules for engines have in common: each needs a package that not everybody has."""


def missing(package: str, extra: str) -> ImportError:
    """The error of a module whose package is not installed."""
    return ImportError(
        f"headwater.{extra} needs {package}, which is not installed here or does not load: "
        f"pip install 'headwater[{extra}]'"
    )
