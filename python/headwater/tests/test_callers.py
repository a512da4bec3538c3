"""What is read from the frames of loaders and trainers: found as deep as it may stand, and missed in no silence."""

from typing import Any, Callable, Dict, cast

import pytest
from headwater.drivers import DEPTH, Driver, driver
from headwater.torches import batch_asked_for, torch


def _function(source: str, name: str, module: str, **known: Any) -> Callable[..., Any]:
    """A function of a module that is not here."""
    names: Dict[str, Any] = {"__name__": module, **known}
    exec(source, names)
    return cast(Callable[..., Any], names[name])


def _loader() -> Any:
    """One of Accelerate's loaders, which calls what it is given from its `__iter__`."""
    loader = type("DataLoaderShard", (), {"__module__": "accelerate.data_loader"})
    source = "def __iter__(self, ask):\n    return ask()\n"
    setattr(loader, "__iter__", _function(source, "__iter__", "accelerate.data_loader"))
    return loader()


def _through(frames: int, module: str, ask: Callable[[], Any]) -> Callable[[], Any]:
    """Asks through so many functions of this module."""
    for _ in range(frames):
        ask = _function("def wrapper():\n    return ask()\n", "wrapper", module, ask=ask)
    return ask


@pytest.mark.parametrize("ours", [1, 2, 20])
def test_a_loader_is_found_at_the_edge_however_many_functions_of_this_package_stand_before_it(ours: int) -> None:
    def found_through(others: int) -> Driver:
        asks = _through(ours, "headwater.ledger", driver)
        driver_found: Driver = loader.__iter__(_through(others, "wrapping", asks))
        return driver_found

    loader = _loader()
    assert found_through(DEPTH - 1) == Driver(dispatched=None, loader=loader, counts=True)
    assert found_through(DEPTH) == Driver(dispatched=None, loader=None, counts=False)


def _fetch(variable: str) -> Callable[[Any], Any]:
    source = f"def fetch({variable}):\n    return ask()\n"
    return _function(source, "fetch", "torch.utils.data._utils.fetch", ask=batch_asked_for)


@pytest.mark.skipif(torch is None, reason="needs torch")
def test_the_batch_that_a_loader_asks_for_is_read_from_its_fetcher() -> None:
    assert batch_asked_for() == 1, "no loader asks"
    fetch = _fetch("possibly_batched_index")
    assert [fetch(None), fetch([]), fetch([4, 5, 6])] == [1, 1, 3]


@pytest.mark.skipif(torch is None, reason="needs torch")
def test_a_fetcher_that_calls_its_batch_something_else_is_an_error_and_no_batch_of_one() -> None:
    with pytest.raises(KeyError, match="possibly_batched_index"):
        _fetch("index")([4, 5, 6])
