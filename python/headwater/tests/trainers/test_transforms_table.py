"""Transforms as people write them, torchvision's v1 and v2 and timm's: a recipe whole, a recipe and a rest, or words
and the lines."""

from typing import Any, Callable, Dict, List, Tuple

import headwater
import pytest

timm_data = pytest.importorskip("timm.data", reason="timm is not installed: scripts/test --trainers has it")
v2 = pytest.importorskip("torchvision.transforms.v2", reason="torchvision before 0.16 has no v2")
tv_tensors = pytest.importorskip("torchvision.tv_tensors")
import torch  # noqa: E402
import torchvision.models as models  # noqa: E402
import torchvision.transforms as T  # noqa: E402
from headwater.transforms import recipe_and_rest  # noqa: E402
from torch import nn  # noqa: E402

NUMBERS = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
BICUBIC, LANCZOS, NEAREST = T.InterpolationMode.BICUBIC, T.InterpolationMode.LANCZOS, T.InterpolationMode.NEAREST
FLOATS, BYTES = v2.ToDtype(torch.float32, scale=True), v2.ToDtype(torch.uint8, scale=True)
N1, N2 = T.Normalize(*NUMBERS), v2.Normalize(*NUMBERS)
TRAIN, EVAL = "imagenet-train", "imagenet-eval"


def stages(*geometry: str, scale: str = "unit", mean: Any = NUMBERS[0], std: Any = NUMBERS[1]) -> str:
    """A recipe's TOML."""
    each = [*geometry, f"op = 'to-tensor'\nscale = '{scale}'"] + (
        [f"op = 'normalize'\nmean = {mean}\nstd = {std}"] if mean else []
    )
    return "name = 'x'\n[[stage]]\nop = 'decode'\n" + "".join(f"[[stage]]\n{stage}\n" for stage in each)


def crop(size: int = 224, more: str = "") -> str:
    return f"op = 'random-resized-crop'\nsize = {size}\n{more}"


def resized(resize: int, size: int, more: str = "", exact: bool = False) -> Tuple[str, str]:
    two_steps = "\nexact = 'two-step'" if exact else ""
    return f"op = 'resize'\nsize = {resize}\n{more}", f"op = 'center-crop'\nsize = {size}{two_steps}"


FLIP, CUBIC = "op = 'random-horizontal-flip'", "interpolation = 'bicubic'"


def stacked(crops: Any) -> Any:
    return torch.stack([T.ToTensor()(crop) for crop in crops])


def weights(name: str) -> Any:
    return models.get_weight(name).transforms()


#: What is a recipe to its end: a Compose and the recipe, by its name or TOML.
WHOLE: Dict[str, Tuple[Callable[[], Any], str]] = {
    "v1 train": (lambda: T.Compose([T.RandomResizedCrop(224), T.RandomHorizontalFlip(), T.ToTensor(), N1]), TRAIN),
    "v1 evaluation": (lambda: T.Compose([T.Resize(256), T.CenterCrop(224), T.ToTensor(), N1]), EVAL),
    "v1 list": (lambda: [T.Resize(256), T.CenterCrop(224), T.ToTensor(), N1], EVAL),
    "v1 nested": (
        lambda: T.Compose([T.Compose([T.Resize(256), T.CenterCrop(224)]), T.Compose([T.ToTensor(), N1])]),
        EVAL,
    ),
    "v1 on tensors": (
        lambda: [
            T.PILToTensor(),
            nn.Sequential(
                T.RandomResizedCrop(224, antialias=True),
                T.RandomHorizontalFlip(),
                T.ConvertImageDtype(torch.float32),
                N1,
            ),
        ],
        TRAIN,
    ),
    "v1 antialias=None on PIL": (
        lambda: T.Compose([T.Resize(256, antialias=None), T.CenterCrop(224), T.ToTensor(), N1]),
        EVAL,
    ),
    "v1 pillow's number": (
        lambda: T.Compose([T.Resize(256, interpolation=2), T.CenterCrop(224), T.ToTensor(), N1]),
        EVAL,
    ),
    "v2 as documented": (
        lambda: v2.Compose(
            [v2.ToImage(), v2.RandomResizedCrop(224, antialias=True), v2.RandomHorizontalFlip(p=0.5), FLOATS, N2]
        ),
        TRAIN,
    ),
    "v2 as documented, with uint8": (
        lambda: v2.Compose(
            [v2.ToImage(), BYTES, v2.RandomResizedCrop(size=(224, 224)), v2.RandomHorizontalFlip(), FLOATS, N2]
        ),
        TRAIN,
    ),
    "v2 ToImage late": (
        lambda: v2.Compose([v2.RandomResizedCrop(224), v2.RandomHorizontalFlip(), v2.ToImage(), FLOATS, N2]),
        TRAIN,
    ),
    "v2 RGB": (
        lambda: v2.Compose(
            [v2.RGB(), v2.ToImage(), v2.Resize(256), v2.CenterCrop(224), v2.Identity(), FLOATS, N2, v2.ToPureTensor()]
        ),
        EVAL,
    ),
    "v2 PILToTensor": (lambda: v2.Compose([v2.PILToTensor(), v2.Resize(256), v2.CenterCrop(224), FLOATS, N2]), EVAL),
    "v2 ConvertImageDtype": (
        lambda: v2.Compose([v2.ToImage(), v2.Resize(256), v2.CenterCrop(224), v2.ConvertImageDtype(torch.float32), N2]),
        EVAL,
    ),
    "v2 a dtype for each": (
        lambda: v2.Compose(
            [
                v2.ToImage(),
                v2.Resize(256),
                v2.CenterCrop(224),
                v2.ToDtype({"others": None, tv_tensors.Image: torch.float32}, scale=True),
                N2,
            ]
        ),
        EVAL,
    ),
    "v2 ToTensor": (lambda: v2.Compose([v2.Resize(256), v2.CenterCrop(224), v2.ToTensor(), N2]), EVAL),
    "v2 and v1 mixed": (
        lambda: T.Compose([v2.RandomResizedCrop(224), T.RandomHorizontalFlip(), T.ToTensor(), N2]),
        TRAIN,
    ),
    "v2 bytes as floats": (
        lambda: v2.Compose([v2.ToImage(), v2.Resize((224, 224)), v2.ToDtype(torch.float32)]),
        stages("op = 'resize'\nsize = [224, 224]", scale="byte", mean=None),
    ),
    "one mean for all channels": (
        lambda: T.Compose([T.Resize((32, 48)), T.ToTensor(), T.Normalize([0.5], [0.25])]),
        stages("op = 'resize'\nsize = [32, 48]", mean=[0.5] * 3, std=[0.25] * 3),
    ),
    "references, train, tensors, v2": (
        lambda: v2.Compose(
            [
                v2.PILToTensor(),
                v2.RandomResizedCrop(176, interpolation=T.InterpolationMode.BILINEAR, antialias=True),
                v2.RandomHorizontalFlip(0.5),
                v2.ToDtype(torch.float, scale=True),
                N2,
                v2.ToPureTensor(),
            ]
        ),
        stages(crop(176), FLIP),
    ),
    "ResNet50": (lambda: weights("ResNet50_Weights.IMAGENET1K_V2"), stages(*resized(232, 224))),
    "ViT_B_16": (lambda: weights("ViT_B_16_Weights.IMAGENET1K_V1"), EVAL),
    "MobileNet_V3": (lambda: weights("MobileNet_V3_Large_Weights.IMAGENET1K_V1"), EVAL),
    "ConvNeXt": (lambda: weights("ConvNeXt_Tiny_Weights.IMAGENET1K_V1"), stages(*resized(236, 224))),
    "Swin_T": (lambda: weights("Swin_T_Weights.IMAGENET1K_V1"), stages(*resized(232, 224, CUBIC))),
    "MaxVit": (lambda: weights("MaxVit_T_Weights.IMAGENET1K_V1"), stages(*resized(224, 224, CUBIC))),
    "EfficientNet_B0": (lambda: weights("EfficientNet_B0_Weights.IMAGENET1K_V1"), stages(*resized(256, 224, CUBIC))),
    "EfficientNet_V2_S": (lambda: weights("EfficientNet_V2_S_Weights.IMAGENET1K_V1"), stages(*resized(384, 384))),
    "v1 bicubic": (
        lambda: T.Compose(
            [T.RandomResizedCrop(224, interpolation=BICUBIC), T.RandomHorizontalFlip(), T.ToTensor(), N1]
        ),
        stages(crop(224, CUBIC), FLIP),
    ),
    "v2 bicubic by its name": (
        lambda: v2.Compose([v2.ToImage(), v2.Resize((224, 224), interpolation="bicubic"), FLOATS, N2]),
        stages(f"op = 'resize'\nsize = [224, 224]\n{CUBIC}"),
    ),
    "timm evaluation": (lambda: timm_data.create_transform(224), EVAL),
    "timm evaluation, bicubic": (
        lambda: timm_data.create_transform((3, 224, 224), crop_pct=0.9, interpolation="bicubic"),
        stages(*resized(248, 224, CUBIC)),
    ),
    "timm train, plain": (lambda: timm_data.create_transform(224, is_training=True, color_jitter=None), TRAIN),
    "timm no augmentation": (
        lambda: timm_data.create_transform(224, is_training=True, no_aug=True),
        stages(*resized(224, 224)),
    ),
}

C1 = [T.RandomResizedCrop(224), T.RandomHorizontalFlip()]
C2 = [v2.ToImage(), v2.RandomResizedCrop(224), v2.RandomHorizontalFlip()]
GEOMETRY = stages(crop(), FLIP, mean=None)

#: What is run here: a Compose, the recipe before it, what the first of the rest is given, and the classes of the rest.
WITH_REST: Dict[str, Tuple[Callable[[], Any], str, str, str]] = {
    "v1 jitter": (
        lambda: [*C1, T.ColorJitter(0.4), T.ToTensor(), N1],
        GEOMETRY,
        "pil",
        "ColorJitter ToTensor Normalize",
    ),
    "v1 RandAugment": (
        lambda: [*C1, T.RandAugment(), T.PILToTensor(), T.ConvertImageDtype(torch.float32), N1],
        GEOMETRY,
        "pil",
        "RandAugment PILToTensor ConvertImageDtype Normalize",
    ),
    "v1 erasing": (lambda: [*C1, T.ToTensor(), N1, T.RandomErasing()], TRAIN, "floats tensor", "RandomErasing"),
    "v1 float64": (
        lambda: [*C1, T.PILToTensor(), T.ConvertImageDtype(torch.float64)],
        GEOMETRY,
        "tensor",
        "ConvertImageDtype",
    ),
    "v1 my own behind the tensor": (
        lambda: [*C1, T.ToTensor(), T.Lambda(lambda image: image * 2), N1],
        GEOMETRY,
        "floats tensor",
        "Lambda Normalize",
    ),
    "v1 squashed, then a random crop": (
        lambda: [T.Resize((256, 256)), T.RandomCrop(224), T.RandomHorizontalFlip(), T.ToTensor(), N1],
        stages("op = 'resize'\nsize = [256, 256]", mean=None),
        "pil",
        "RandomCrop RandomHorizontalFlip ToTensor Normalize",
    ),
    "v1 five crops": (
        lambda: [T.Resize((256, 256)), T.FiveCrop(224), T.Lambda(stacked)],
        stages("op = 'resize'\nsize = [256, 256]", mean=None),
        "pil",
        "FiveCrop Lambda",
    ),
    "v1 vertical flip": (
        lambda: [*C1, T.RandomVerticalFlip(), T.ToTensor()],
        GEOMETRY,
        "pil",
        "RandomVerticalFlip ToTensor",
    ),
    "v1 grayscale": (
        lambda: [T.Resize(256), T.CenterCrop(224), T.Grayscale(3), T.ToTensor()],
        stages(*resized(256, 224, exact=True), mean=None),
        "pil",
        "Grayscale ToTensor",
    ),
    "v1 ends with bytes": (lambda: [*C1, T.PILToTensor()], GEOMETRY, "tensor", ""),
    "v1 jitter, then flip": (
        lambda: [T.RandomResizedCrop(224), T.ColorJitter(0.4), T.RandomHorizontalFlip(), T.ToTensor()],
        stages(crop(), mean=None),
        "pil",
        "ColorJitter RandomHorizontalFlip ToTensor",
    ),
    "v2 TrivialAugmentWide": (
        lambda: v2.Compose([*C2, v2.TrivialAugmentWide(), FLOATS, N2]),
        GEOMETRY,
        "image",
        "TrivialAugmentWide ToDtype Normalize",
    ),
    "v2 AutoAugment on PIL": (
        lambda: v2.Compose([*C2[1:], v2.AutoAugment(), v2.ToImage(), FLOATS, N2]),
        GEOMETRY,
        "pil",
        "AutoAugment ToImage ToDtype Normalize",
    ),
    "v2 erasing": (
        lambda: v2.Compose([*C2, FLOATS, N2, v2.RandomErasing(p=0.1)]),
        TRAIN,
        "floats image",
        "RandomErasing",
    ),
    "v2 back to PIL": (
        lambda: v2.Compose([*C2, v2.ToPILImage(), T.ColorJitter(0.4), T.ToTensor()]),
        GEOMETRY,
        "pil",
        "ColorJitter ToTensor",
    ),
    "v1 rotation behind a resize": (
        lambda: [T.Resize((224, 224)), T.RandomHorizontalFlip(), T.RandomRotation(10), T.ToTensor(), N1],
        stages("op = 'resize'\nsize = [224, 224]", FLIP, mean=None),
        "pil",
        "RandomRotation ToTensor Normalize",
    ),
    "v2 halves": (
        lambda: v2.Compose([*C2, v2.ToDtype(torch.float16, scale=True), N2]),
        GEOMETRY,
        "image",
        "ToDtype Normalize",
    ),
    "references, train, randaugment": (
        lambda: T.Compose(
            [
                T.RandomResizedCrop(224, antialias=True),
                T.RandomHorizontalFlip(0.5),
                T.RandAugment(interpolation=BICUBIC, magnitude=9),
                T.PILToTensor(),
                T.ConvertImageDtype(torch.float),
                N1,
                T.RandomErasing(p=0.1),
            ]
        ),
        GEOMETRY,
        "pil",
        "RandAugment PILToTensor ConvertImageDtype Normalize RandomErasing",
    ),
    "references, train, v2, tensors": (
        lambda: v2.Compose(
            [
                v2.PILToTensor(),
                v2.RandomResizedCrop(224, antialias=True),
                v2.RandomHorizontalFlip(0.5),
                v2.AugMix(),
                v2.ToDtype(torch.float, scale=True),
                N2,
                v2.ToPureTensor(),
            ]
        ),
        GEOMETRY,
        "tensor",
        "AugMix ToDtype Normalize ToPureTensor",
    ),
    "SimCLR": (
        lambda: T.Compose(
            [
                *C1,
                T.RandomApply([T.ColorJitter(0.8, 0.8, 0.8, 0.2)], p=0.8),
                T.RandomGrayscale(p=0.2),
                T.GaussianBlur(23),
                T.ToTensor(),
            ]
        ),
        GEOMETRY,
        "pil",
        "RandomApply RandomGrayscale GaussianBlur ToTensor",
    ),
    "DINO, a local view": (
        lambda: T.Compose(
            [
                T.RandomResizedCrop(96, scale=(0.05, 0.4), interpolation=BICUBIC),
                T.RandomHorizontalFlip(),
                T.RandomApply([T.ColorJitter(0.4, 0.4, 0.2, 0.1)], p=0.8),
                T.RandomSolarize(128, 0.2),
                T.ToTensor(),
                N1,
            ]
        ),
        stages(crop(96, f"scale = [0.05, 0.4]\n{CUBIC}"), FLIP, mean=None),
        "pil",
        "RandomApply RandomSolarize ToTensor Normalize",
    ),
    "CLIP": (
        lambda: T.Compose(
            [
                T.Resize(224, interpolation=BICUBIC),
                T.CenterCrop(224),
                lambda image: image.convert("RGB"),
                T.ToTensor(),
                N1,
            ]
        ),
        stages(*resized(224, 224, CUBIC, exact=True), mean=None),
        "pil",
        "function ToTensor Normalize",
    ),
    "timm train": (
        lambda: timm_data.create_transform(224, is_training=True),
        GEOMETRY,
        "pil",
        "ColorJitter MaybeToTensor Normalize",
    ),
    "timm train, randaugment, erasing": (
        lambda: timm_data.create_transform(
            224, is_training=True, auto_augment="rand-m9-mstd0.5-inc1", re_prob=0.25, interpolation="bicubic"
        ),
        stages(crop(224, CUBIC), FLIP, mean=None),
        "pil",
        "RandAugment MaybeToTensor Normalize RandomErasing",
    ),
    "timm train, in three parts": (
        lambda: timm_data.create_transform(224, is_training=True, separate=True),
        GEOMETRY,
        "pil",
        "ColorJitter MaybeToTensor Normalize",
    ),
    "timm squash": (
        lambda: timm_data.create_transform(224, crop_mode="squash", crop_pct=0.875),
        stages("op = 'resize'\nsize = [256, 256]", mean=None),
        "pil",
        "CenterCrop MaybeToTensor Normalize",
    ),
    "timm prefetcher": (
        lambda: timm_data.create_transform(224, is_training=True, use_prefetcher=True, color_jitter=None),
        GEOMETRY,
        "tensor",
        "",
    ),
}


class Preset:
    """As torchvision's references have it: a class of the user's with a Compose inside."""

    def __init__(self) -> None:
        self.transforms = T.Compose([*C1, T.ToTensor()])

    def __call__(self, image: Any) -> Any:
        return self.transforms(image)


#: What is refused: a Compose, and words. Where the lines can be pasted as they stand, they are tried.
REFUSED: Dict[str, Tuple[Callable[[], Any], str]] = {
    "RandAugment first": (lambda: [T.RandAugment(), *C1, T.ToTensor(), N1], "RandAugment.*works on the whole photo"),
    "jitter first, v2": (
        lambda: v2.Compose([v2.ToImage(), v2.ColorJitter(0.4), *C2[1:], FLOATS]),
        "ColorJitter.*works on the whole photo",
    ),
    "flip first": (
        lambda: [T.RandomHorizontalFlip(), T.RandomResizedCrop(224), T.ToTensor()],
        "RandomHorizontalFlip.*whole photo",
    ),
    "rotation first": (lambda: [T.RandomRotation(15), *C1, T.ToTensor()], "RandomRotation.*whole photo"),
    "convert first": (
        lambda: [T.Lambda(lambda image: image.convert("RGB")), *C1, T.ToTensor()],
        "photos are RGB here in any case",
    ),
    "Resize alone": (lambda: [T.Resize(256), T.ToTensor(), N1], "leaves the longer side open"),
    "Resize, then a random crop": (
        lambda: [T.Resize(256), T.RandomCrop(224), T.RandomHorizontalFlip(), T.ToTensor()],
        "longer side open",
    ),
    "Resize with max_size": (
        lambda: [T.Resize(256, max_size=300), T.CenterCrop(224), T.ToTensor()],
        "max_size leaves the size open",
    ),
    "Resize by max_size alone, v2": (
        lambda: v2.Compose([v2.ToImage(), v2.Resize(None, max_size=300), FLOATS]),
        "max_size",
    ),
    "ToPILImage first": (
        lambda: [T.ToPILImage(), T.Resize((64, 64)), T.ToTensor()],
        "PIL images here already: leave it out",
    ),
    "CenterCrop of more than there is": (
        lambda: [T.Resize(224), T.CenterCrop(256), T.ToTensor()],
        "torchvision would pad photos",
    ),
    "a crop of nothing": (
        lambda: [T.RandomResizedCrop(224, scale=(0.9, 0.1)), T.ToTensor()],
        r"no recipe: line \d+: .*scale",
    ),
    "CenterCrop alone": (lambda: [T.CenterCrop(224), T.ToTensor()], "without resizing them"),
    "RandomCrop": (lambda: [T.RandomCrop(32, padding=4), T.RandomHorizontalFlip(), T.ToTensor()], "photos of any size"),
    "FiveCrop": (lambda: [T.FiveCrop(224), T.Lambda(stacked)], "photos of any size"),
    "Pad": (lambda: [T.Pad(4), T.RandomResizedCrop(224), T.ToTensor()], "photos of any size"),
    "no size": (lambda: [T.ToTensor(), N1], "nothing in this Compose brings photos to one size"),
    "no size, v2": (lambda: v2.Compose([v2.ToImage(), FLOATS]), "nothing in this Compose brings photos to one size"),
    "ToTensor first": (
        lambda: [T.ToTensor(), T.RandomResizedCrop(224), T.RandomHorizontalFlip(), N1],
        "stands before the crop",
    ),
    "floats first, v2": (lambda: v2.Compose([v2.ToImage(), FLOATS, *C2[1:], N2]), "stands before the crop"),
    "nearest": (lambda: [T.Resize((224, 224), NEAREST), T.ToTensor()], "bilinear or bicubic, .* not nearest"),
    "lanczos": (
        lambda: [T.RandomResizedCrop(224, interpolation=LANCZOS), T.ToTensor()],
        "bilinear or bicubic, .* not lanczos",
    ),
    "antialias=False, v2": (
        lambda: v2.Compose([v2.ToImage(), v2.Resize((64, 64), antialias=False), FLOATS]),
        "give antialias=True",
    ),
    "antialias=None on tensors": (
        lambda: [T.PILToTensor(), T.Resize((64, 64), antialias=None), T.ConvertImageDtype(torch.float32)],
        "give antialias=True",
    ),
    "Normalize first": (lambda: [*C1, N1, T.ToTensor()], "takes a tensor of floats"),
    "Normalize of bytes": (lambda: [*C1, T.PILToTensor(), N1], "takes a tensor of floats"),
    "RandomErasing first": (lambda: [*C1, T.RandomErasing(), T.ToTensor()], "takes a tensor of floats"),
    "no tensor": (lambda: C1, "ends with a PIL image"),
    "ToDtype on PIL": (lambda: v2.Compose([*C2[1:], FLOATS, N2]), "ToImage or PILToTensor before it"),
    "ToTensor on tensors": (
        lambda: [T.PILToTensor(), T.RandomResizedCrop(64, antialias=True), T.ToTensor()],
        "write ToDtype or ConvertImageDtype",
    ),
    "timm's random interpolation": (
        lambda: timm_data.create_transform(224, is_training=True, interpolation="random", color_jitter=None),
        "give interpolation='bicubic' or 'bilinear'",
    ),
    "timm border": (lambda: timm_data.create_transform(224, crop_mode="border"), "ResizeKeepRatio.*leaves sizes open"),
    "weights.transforms": (lambda: models.ResNet50_Weights.DEFAULT.transforms, "call it"),
    "segmentation": (
        lambda: weights("FCN_ResNet50_Weights.DEFAULT"),
        "SemanticSegmentation is no preset for classification",
    ),
    "a class": (lambda: [*C1, T.ToTensor], "is a class and not a transform"),
    "a preset of mine": (lambda: Preset(), "recipe=preset.transforms"),
    "text": (lambda: [*C1, "ToTensor"], "is no recipe"),
}


def expected(recipe: str) -> headwater.Recipe:
    return headwater.Recipe.builtin(recipe) if "\n" not in recipe else headwater.Recipe(recipe)


@pytest.mark.parametrize("name", WHOLE)
def test_what_is_a_recipe_to_its_end(name: str) -> None:
    make, wanted = WHOLE[name]
    recipe = expected(wanted)
    found, rest = recipe_and_rest(make(), "tensor")
    assert found == recipe and not rest and headwater.recipe_from(make()) == recipe


@pytest.mark.parametrize("name", WITH_REST)
def test_what_is_a_recipe_and_a_rest(name: str) -> None:
    make, wanted, kind, classes = WITH_REST[name]
    recipe = expected(wanted)
    found, rest = recipe_and_rest(make(), "tensor")
    assert found == recipe and rest
    assert (("floats " if rest.floats else "") + rest.kind, [type(step).__name__ for step in rest.transforms]) == (
        kind,
        classes.split(),
    )
    with pytest.raises(headwater.RecipeError):
        headwater.recipe_from(make())


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_with_words_and_lines_that_work(name: str) -> None:
    make, words = REFUSED[name]
    with pytest.raises(headwater.RecipeError, match=words) as caught:
        recipe_and_rest(make(), "tensor")
    text = str(caught.value)
    if "write instead:" in text:
        lines = text.split("write instead:\n")[1].split("\n])")[0] + "\n])"
        if "..." not in lines:
            names = {"T": T, "v2": v2, "torch": torch, **vars(timm_data.transforms)}
            recipe_and_rest(eval(lines, names), "tensor")


def test_the_table_has_forty_and_more() -> None:
    every: List[str] = [*WHOLE, *WITH_REST, *REFUSED]
    assert len(every) == len(set(every)) >= 40
