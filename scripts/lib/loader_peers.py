"""The contenders of `scripts/bench loader`, one to a process: each reads whole epochs in a training script's loop.

A client prints a line of JSON for every epoch: samples, seconds, CPU seconds of its process. A server prints its
address and serves until it is stopped. All deliver random-resized crops of the same distribution, in batches of 32: as
u8 pixels `[32, 224, 224, 3]`, or as normalised f32 tensors `[32, 3, 224, 224]`.
"""

import argparse
import json
import pathlib
import sys
import threading
import time
from concurrent import futures

import numpy as np

BATCH = 32
SIDE = 224
SCALE, RATIO = (0.08, 1.0), (3 / 4, 4 / 3)


def timed(args, read) -> None:
    """Reads epochs, and says how long each took."""
    kind = ("uint8", (SIDE, SIDE, 3)) if args.output == "pixels" else ("float32", (3, SIDE, SIDE))
    for epoch in range(args.epochs):
        begin, used, samples = time.perf_counter(), time.process_time(), 0
        for images in read(epoch):
            found = (str(images.dtype).removeprefix("torch."), tuple(images.shape[1:]))
            assert found == kind, found
            samples += len(images)
        row = {"samples": samples, "seconds": time.perf_counter() - begin, "cpu": time.process_time() - used}
        print(json.dumps(row), flush=True)


class Normalize:
    """Pixels to the tensors that a network takes, as a training script has it: mirrored or not, then three calls of
    PyTorch's."""

    def __init__(self):
        import torch

        self.torch = torch
        self.mean = torch.tensor([0.485, 0.456, 0.406]).mul(255).view(1, 3, 1, 1)
        self.std = torch.tensor([0.229, 0.224, 0.225]).mul(255).view(1, 3, 1, 1)

    def __call__(self, pixels: np.ndarray):
        images = self.torch.from_numpy(pixels).permute(0, 3, 1, 2)
        mirrored = self.torch.rand(len(images)) < 0.5
        images = self.torch.where(mirrored.view(-1, 1, 1, 1), images.flip(3), images)
        return images.float().sub_(self.mean).div_(self.std).contiguous()


def photos_in(folder: pathlib.Path) -> list:
    return sorted(str(path) for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg"))


# === Headwater ===


def headwater(args) -> None:
    import headwater

    data = headwater.IterableDataset(
        args.server,
        "bench",
        "imagenet-train",
        cut=args.cut,
        output=args.output,
        batch_size=BATCH,
        fields=("image",),
        on_error="skip",
    )

    def read(epoch: int):
        data.set_epoch(epoch)
        return iter(data)

    timed(args, read)
    data.close()


# === A grpcio client of the same server ===


def compile_protocol(proto: pathlib.Path, work: pathlib.Path) -> None:
    """Makes `headwater.v1` the protocol's messages and services, as grpcio-tools compiles them."""
    from grpc_tools import protoc

    out = work / "messages"
    package = out / "headwater" / "v1"
    package.mkdir(parents=True, exist_ok=True)
    # The compiled modules import each other as headwater.v1. This process never imports the real `headwater`.
    for folder in (package.parent, package):
        (folder / "__init__.py").touch()
    files = [str(file) for file in sorted(proto.glob("headwater/v1/*.proto"))]
    if protoc.main(["protoc", f"-I{proto}", f"--python_out={out}", f"--grpc_python_out={out}", *files]):
        raise SystemExit("the protocol does not compile")
    sys.path.insert(0, str(out))


def grpcio(args) -> None:
    """What is written in an afternoon: one stream, a call for each epoch, no checksums, no retries; pixels joined by
    NumPy."""
    import grpc

    compile_protocol(args.proto, args.work)
    from headwater.v1 import datasets_pb2, datasets_pb2_grpc, samples_pb2, samples_pb2_grpc, selection_pb2

    channel = grpc.insecure_channel(args.server, options=[("grpc.max_receive_message_length", 64 << 20)])
    described = datasets_pb2_grpc.DatasetsStub(channel).Describe(datasets_pb2.DescribeRequest(dataset="bench"))
    stub = samples_pb2_grpc.SamplesStub(channel)
    recipe = args.recipe.read_text()
    finish = Normalize() if args.output == "tensor" else (lambda pixels: pixels)

    def read(epoch: int):
        indices = np.random.default_rng(epoch).permutation(described.samples)
        pending = []
        for first in range(0, len(indices), 4096):
            request = samples_pb2.FetchRequest(
                dataset="bench",
                list=selection_pb2.SampleList(indices=indices[first : first + 4096]),
                recipe=recipe,
                way=samples_pb2.WAY_CROPPED,
                epoch=epoch,
            )
            for batch in stub.Fetch(request):
                for sample in batch.samples:
                    if sample.HasField("failure"):
                        continue
                    pending.append(np.frombuffer(sample.payload, np.uint8).reshape(tuple(sample.shape)))
                    if len(pending) == BATCH:
                        yield finish(np.stack(pending))
                        pending.clear()
        if pending:
            yield finish(np.stack(pending))

    timed(args, read)


# === SOPHON's published design ===


def sophon_serve(args) -> None:
    """A unary call for each image, Pillow and torchvision behind it (the paper's server, at its cut `resize-off`)."""
    import grpc
    import torch
    from PIL import Image
    from torchvision.transforms import RandomResizedCrop

    torch.set_num_threads(1)
    paths = photos_in(args.photos)
    crop = RandomResizedCrop(SIDE, SCALE, RATIO)

    def get(request: bytes, _context) -> bytes:
        with Image.open(paths[int(request)]) as image:
            return np.asarray(crop(image.convert("RGB"))).tobytes()

    handler = grpc.unary_unary_rpc_method_handler(get)
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=args.workers))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("sophon.Storage", {"Get": handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(f"127.0.0.1:{port}", flush=True)
    server.wait_for_termination()


def sophon(args) -> None:
    """PyTorch's DataLoader, whose workers ask for one image after the other."""
    import grpc
    import torch
    from torch.utils.data import DataLoader, Dataset

    torch.set_num_threads(1)
    paths = photos_in(args.photos)

    class Remote(Dataset):
        stub = None

        def __len__(self):
            return len(paths)

        def __getitem__(self, index: int):
            if self.stub is None:
                self.stub = grpc.insecure_channel(args.server).unary_unary("/sophon.Storage/Get")
            pixels = self.stub(str(index).encode())
            return torch.frombuffer(bytearray(pixels), dtype=torch.uint8).reshape(SIDE, SIDE, 3)

    loader = DataLoader(Remote(), BATCH, shuffle=True, num_workers=args.workers, persistent_workers=True)
    timed(args, lambda _epoch: (images.numpy() for images in loader))


# === tf.data service ===


def tf_serve(args) -> None:
    """A dispatcher and one worker."""
    import tensorflow as tf

    service = tf.data.experimental.service
    dispatcher = service.DispatchServer(service.DispatcherConfig(port=0))
    address = dispatcher.target.split("://")[1]
    worker = service.WorkerServer(service.WorkerConfig(dispatcher_address=address, port=0))
    print(address, flush=True)
    threading.Event().wait()
    del worker


def tf(args) -> None:
    import tensorflow as tf

    paths = photos_in(args.photos)
    whole = tf.zeros([1, 0, 4])

    def crop(path):
        stored = tf.io.read_file(path)
        begin, size, _ = tf.image.sample_distorted_bounding_box(
            tf.image.extract_jpeg_shape(stored),
            whole,
            area_range=SCALE,
            aspect_ratio_range=RATIO,
            use_image_if_no_bounding_boxes=True,
        )
        y, x, _ = tf.unstack(begin)
        height, width, _ = tf.unstack(size)
        pixels = tf.image.decode_and_crop_jpeg(stored, tf.stack([y, x, height, width]), channels=3)
        return tf.cast(tf.clip_by_value(tf.image.resize(pixels, [SIDE, SIDE]), 0, 255), tf.uint8)

    # One iteration over all epochs: a new one costs the service seconds.
    data = tf.data.Dataset.from_tensor_slices(paths).shuffle(len(paths)).repeat(args.epochs)
    data = data.map(crop, num_parallel_calls=tf.data.AUTOTUNE).batch(BATCH).prefetch(tf.data.AUTOTUNE)
    data = data.apply(
        tf.data.experimental.service.distribute(
            processing_mode=tf.data.experimental.service.ShardingPolicy.OFF,
            service=f"grpc://{args.server}",
            compression=None,
        )
    )
    batches = data.as_numpy_iterator()

    def read(_epoch: int):
        samples = 0
        while samples < len(paths) and (images := next(batches, None)) is not None:
            samples += len(images)
            yield images

    timed(args, read)


CONTENDERS = {
    "headwater": headwater,
    "grpcio": grpcio,
    "sophon-serve": sophon_serve,
    "sophon": sophon,
    "tf-serve": tf_serve,
    "tf": tf,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("contender", choices=CONTENDERS)
    parser.add_argument("--server")
    parser.add_argument("--cut", default="cropped")
    parser.add_argument("--output", choices=("pixels", "tensor"), default="pixels")
    parser.add_argument("--photos", type=pathlib.Path)
    parser.add_argument("--proto", type=pathlib.Path)
    parser.add_argument("--recipe", type=pathlib.Path)
    parser.add_argument("--work", type=pathlib.Path)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    CONTENDERS[args.contender](args)


if __name__ == "__main__":
    main()
