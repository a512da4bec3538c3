"""What every trainer is promised of the batches that its ranks are given."""

from collections import Counter
from typing import Any, Dict, List

Lines = List[Dict[str, Any]]


def batches(lines: Lines) -> Lines:
    return [line for line in lines if "samples" in line]


def continued(before: Lines, after: Lines) -> Lines:
    """A run that was stopped: what it was given until the state was saved, and from there on what the run was given
    that goes on."""
    assert batches(after), "a run that goes on is given nothing"
    begin = min((line["epoch"], line["step"]) for line in batches(after))
    return [line for line in batches(before) if (line["epoch"], line["step"]) < begin] + batches(after)


def check(lines: Lines, epochs: int, samples: int, world: int) -> None:
    """Each sample once an epoch over all ranks, in as many steps on each; other crops and another order in each epoch;
    lengths."""
    steps = {}
    for epoch in range(epochs):
        mine = [line for line in lines if line["epoch"] == epoch]
        given = Counter(sample for line in mine for sample in line["samples"])
        missing, twice = (
            [sample for sample in range(samples) if not given[sample]],
            [sample for sample in given if given[sample] > 1],
        )
        assert not missing and not twice, (
            f"epoch {epoch}: {len(missing)} of {samples} are missing, {len(twice)} come more than once"
        )
        assert len(given) == samples, f"epoch {epoch} has samples that the dataset has not"
        of_ranks = [sorted(line["step"] for line in mine if line["rank"] == rank) for rank in range(world)]
        assert all(rank == of_ranks[0] for rank in of_ranks), (
            f"epoch {epoch}: ranks take {[len(rank) for rank in of_ranks]} steps"
        )
        assert of_ranks[0] == list(range(len(of_ranks[0]))), f"epoch {epoch}: steps {of_ranks[0]}"
        steps[epoch] = len(of_ranks[0])
    lengths = sorted({line["len"] for line in lines})
    assert lengths == sorted(set(steps.values())), f"len(loader) is {lengths}, and epochs take {steps} steps"
    check_epochs_differ(lines, epochs)


def check_epochs_differ(lines: Lines, epochs: int) -> None:
    pixels = [pixels_of(lines, epoch) for epoch in range(epochs)]
    for one in range(epochs):
        for other in range(one):
            same = sum(pixels[one][sample] == pixels[other][sample] for sample in pixels[one])
            assert not same, f"{same} of {len(pixels[one])} samples have the crop of epoch {other} in epoch {one} again"
            assert order_of(lines, one) != order_of(lines, other), f"epochs {other} and {one} are in the same order"


def pixels_of(lines: Lines, epoch: int) -> Dict[int, str]:
    """The hash of each sample's tensor."""
    mine = [line for line in lines if line["epoch"] == epoch]
    return {sample: pixels for line in mine for sample, pixels in zip(line["samples"], line["hashes"])}


def order_of(lines: Lines, epoch: int) -> List[int]:
    mine = sorted((line["rank"], line["step"], line["samples"]) for line in lines if line["epoch"] == epoch)
    return [sample for _, _, samples in mine for sample in samples]


def same_bits(lines: Lines) -> List[Any]:
    """What two runs must have in common that are the same."""
    return sorted(
        (line["rank"], line["epoch"], line["step"], line["samples"], line["hashes"]) for line in batches(lines)
    )
