"""What a photo may be is as servers say, up to the trainer's own limits, which are checked where they are given."""

import pickle
from typing import Any, Dict

import headwater
import pytest
from conftest import Server


def dataset(server: Server, cut: str, **more: Any) -> Any:
    return headwater.IterableDataset(server.address, "photos", "imagenet-eval", cut=cut, batch_size=4, **more)


@pytest.mark.parametrize("cut", ["encoded", "jpeg-crop", "decoded", "cropped"])
@pytest.mark.parametrize("given", [{"max_pixels": 10}, {"max_dimension": 3}])
def test_the_trainers_own_limit_holds_at_every_cut_and_is_named(
    own_server: Server, cut: str, given: Dict[str, Any]
) -> None:
    (name,) = given
    with pytest.raises(headwater.SampleError, match=rf"here, at the client.*Limits\({name}=") as caught:
        next(iter(dataset(own_server, cut, limits=headwater.Limits(**given))))
    assert caught.value.kind == "limit-exceeded"


def test_a_payload_that_is_longer_than_the_trainer_takes_fails_alone(own_server: Server) -> None:
    limits = headwater.Limits(max_sample_memory="1KiB", max_object_bytes=1024)
    data = dataset(own_server, "cropped", limits=limits)
    with pytest.raises(headwater.SampleError, match="at the cut cropped are more than the 1KiB that the client takes"):
        next(iter(data))


def test_limits_travel_to_workers_and_say_what_they_are() -> None:
    limits = headwater.Limits(max_pixels=200_000_000, max_sample_memory="1GiB", max_object_bytes=1 << 20)
    assert pickle.loads(pickle.dumps(limits)).given == limits.given
    assert repr(limits) == "Limits(max_pixels=200000000, max_object_bytes=1048576, max_sample_memory=1073741824)"


@pytest.mark.parametrize(
    "given, words",
    [
        ({"max_pixels": 0}, "max_pixels=0: give a whole number from 1"),
        ({"max_scans": 2**32}, "max_scans=4294967296: give a whole number from 1 to 4294967295"),
        ({"max_sample_memory": "much"}, "max_sample_memory='much': give bytes"),
        ({"max_object_bytes": "0B"}, "max_object_bytes='0B': give bytes"),
    ],
)
def test_what_is_no_limit_is_refused_where_it_is_given(given: Dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        headwater.Limits(**given)


def test_other_types_are_refused_where_they_are_given() -> None:
    with pytest.raises(TypeError, match="max_pixels=1.5: give a whole number"):
        headwater.Limits(max_pixels=1.5)  # type: ignore[arg-type]
    for limits in ({"max_pixels": 5}, 5):
        with pytest.raises(TypeError, match="limits=.*headwater.Limits"):
            headwater.IterableDataset("localhost:1", "photos", "imagenet-eval", limits=limits)
