"""Models as docs/models.md exports them, with random weights: servers take the files as they are, and their features
are PyTorch's.
"""

import copy
import pathlib
from typing import Any, Dict, Iterator, List, Optional

import numpy as np
import pytest
import torch
from conftest import BIN, PHOTOS, Server, run

import headwater

SIZE = (3, 224, 224)
BATCH = ({0: "batch"},)


def settled(model: torch.nn.Module) -> torch.nn.Module:
    """With the statistics of noise in its normalisations: what random weights give is else next to nothing."""
    torch.manual_seed(1)
    model.train()
    with torch.no_grad():
        for _ in range(10):
            model(torch.randn(4, *SIZE))
    return model.eval()


def export(model: torch.nn.Module, path: pathlib.Path, count: int = 2, **how: Any) -> pathlib.Path:
    """As PyTorch exports by itself: its weights lie beside the file."""
    of = next(model.parameters()).dtype
    torch.onnx.export(model, (torch.zeros(count, *SIZE, dtype=of),), path, verbose=False, **how)
    assert path.with_name(path.name + ".data").exists(), "the newest exporter writes the weights beside the file"
    return path


def torchvision_model() -> torch.nn.Module:
    import torchvision

    return settled(torchvision.models.mobilenet_v2(weights=None))


def timm_model() -> torch.nn.Module:
    import timm

    return settled(timm.create_model("resnet18", pretrained=False, num_classes=0))


def transformers_model() -> torch.nn.Module:
    import transformers

    class Features(torch.nn.Module):
        def __init__(self, model: torch.nn.Module) -> None:
            super().__init__()
            self.model = model

        def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
            return self.model(pixel_values=pixel_values).last_hidden_state[:, 0]

    sizes = {"hidden_size": 96, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 192}
    return Features(transformers.ViTModel(transformers.ViTConfig(**sizes))).eval()


class Last(torch.nn.Module):
    """A model as TensorFlow's are: photos with the colours last, as bytes, which it normalises itself."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
        return self.model(((pixels.to(torch.float32) / 255 - mean) / std).permute(0, 3, 1, 2))


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Dict[str, Any]:
    """Files, what is said of their input, and the network that each was made of."""
    folder = tmp_path_factory.mktemp("exports")
    named: Dict[str, Any] = {"output_names": ["features"], "dynamic_shapes": BATCH}
    network = torchvision_model()
    features = torchvision_model()
    features.classifier = torch.nn.Identity()
    whole = timm_model()
    half = copy.deepcopy(whole).half()
    found = {
        "as-is": (export(network, folder / "mobilenet_v2.onnx", 1), "", network),
        "features": (export(features, folder / "features.onnx", **named), "", features),
        "timm": (export(whole, folder / "timm.onnx", **named), "", whole),
        "half": (export(half, folder / "half.onnx", **named), "", whole),
    }
    network = transformers_model()
    found["transformers"] = (export(network, folder / "vit.onnx", **named), "", network)
    last, path = Last(features), folder / "last.onnx"
    torch.onnx.export(last, (torch.zeros(2, 224, 224, 3, dtype=torch.uint8),), path, verbose=False, **named)
    found["last"] = (path, ",input=uint8", features)
    return found


@pytest.fixture(scope="module")
def exported(
    tmp_path_factory: pytest.TempPathFactory, photos: pathlib.Path, exports: Dict[str, Any]
) -> Iterator[Server]:
    words: List[Any] = []
    for name, (path, said, _) in exports.items():
        words += ["--model", f"{name}={path},recipe=imagenet-eval{said}"]
    server = Server(tmp_path_factory.mktemp("exported") / "server", photos, "--inference-workers", 1, *words)
    yield server
    server.kill()


def rows(dataset: Any) -> np.ndarray:
    return np.stack([np.asarray(dataset[at][0]) for at in range(len(dataset))])


def off(found: np.ndarray, wanted: np.ndarray) -> float:
    """The largest difference, as a share of the largest value."""
    return float(np.abs(found - wanted).max() / np.abs(wanted).max())


@pytest.mark.parametrize(
    ("name", "most"),
    [("as-is", 1e-4), ("features", 1e-4), ("timm", 1e-4), ("half", 1e-2), ("transformers", 1e-4), ("last", 1e-4)],
)
def test_features_of_an_export_are_pytorchs(exported: Server, exports: Dict[str, Any], name: str, most: float) -> None:
    tensors = rows(headwater.MapDataset(exported.address, "photos", recipe="imagenet-eval", output="numpy"))
    dataset = headwater.MapDataset(exported.address, "photos", cut="features", model=name, output="numpy")
    with torch.no_grad():
        wanted = exports[name][2](torch.from_numpy(tensors)).numpy()
    found = rows(dataset)
    print(f"{name}: {off(found, wanted):.1e} of the largest value apart, {np.abs(found - wanted).max():.1e}")
    assert found.shape == wanted.shape and len(found) == PHOTOS
    assert off(found, wanted) <= most and np.abs(found - wanted).max() <= most * max(1.0, np.abs(wanted).max())


def refused(words: List[Any]) -> Optional[str]:
    import subprocess

    done = subprocess.run([str(word) for word in words], check=False, capture_output=True, text=True, timeout=120)
    return done.stderr if done.returncode else None


def test_an_export_without_its_weights_or_without_a_word_on_its_bytes_is_refused_by_name(
    exports: Dict[str, Any], photos: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    alone = tmp_path / "mobilenet_v2.onnx"
    alone.write_bytes(exports["as-is"][0].read_bytes())
    serve = [BIN / "storage-server", "serve", "--data", photos, "--dataset", "photos", "--listen", "127.0.0.1:0"]
    serve += ["--check-config", "--model"]
    said = refused([*serve, f"m={alone},recipe=imagenet-eval"])
    assert said and "mobilenet_v2.onnx.data" in said and "copy it with the model" in said, said
    said = refused([*serve, f"m={exports['last'][0]},recipe=imagenet-eval"])
    assert said and "add ,input=uint8" in said, said
    assert refused([*serve, f"m={exports['last'][0]},recipe=imagenet-eval,input=uint8"]) is None


def test_a_client_infers_with_the_file_as_it_was_given_to_the_server(
    exports: Dict[str, Any], exported: Server, tmp_path: pathlib.Path
) -> None:
    path, _, _ = exports["last"]
    words = ["--servers", exported.address, "--dataset", "photos", "--model", "last"]
    profile = tmp_path / "profile.parquet"
    # The file is the server's by its digest, with the setting that was given there.
    extractor = ["--extractor", path, "--repeats", 1, "--out", profile]
    run(BIN / "profiler", "dataset", *words, *extractor)
    assert profile.exists()
