"""The peers of `scripts/bench image`: each makes the samples of a job, from photos in memory, with one thread.

Each is written as its own documentation would, in the fastest way found, and drops a finished sample before it makes
the next. A library is imported by its peer alone, so that those that are missing here keep nobody else from running.
"""

import io
import pathlib
from collections.abc import Iterator

import numpy
from PIL import Image


class Peer:
    """Makes samples one by one: f32 `[3, h, w]`, normalised, or u8 `[h, w, 3]`."""

    title: str
    # Whether its resize averages over what it leaves out, as Pillow's does.
    antialiased: bool
    packages: tuple[str, ...]

    def __init__(self, job: dict):
        self.size = (job["height"], job["width"])
        self.mean, self.std = job["mean"], job["std"]
        self.photos = [pathlib.Path(photo["path"]).read_bytes() for photo in job["photos"]]
        self.samples = job["samples"]

    def u8(self, photo: bytes, sample: dict) -> object:
        raise NotImplementedError

    def f32(self, photo: bytes, sample: dict) -> object:
        raise NotImplementedError

    def each(self, output: str) -> Iterator[object]:
        """Every sample, or batch of samples, as it is finished."""
        make = getattr(self, output)
        for sample in self.samples:
            yield make(self.photos[sample["photo"]], sample)


class Pillow(Peer):
    """What a torchvision user writes: the baseline."""

    title = "Pillow + torchvision"
    antialiased = True
    packages = ("pillow", "torchvision")

    def __init__(self, job: dict):
        super().__init__(job)
        import torch
        from torchvision.transforms import functional

        torch.set_num_threads(1)
        self.functional = functional

    def image(self, photo: bytes, sample: dict) -> Image.Image:
        top, left, height, width = (sample[key] for key in ("y", "x", "height", "width"))
        image = Image.open(io.BytesIO(photo)).convert("RGB")
        image = self.functional.resized_crop(image, top, left, height, width, self.size)
        return self.functional.hflip(image) if sample["flip"] else image

    def u8(self, photo: bytes, sample: dict) -> object:
        return numpy.asarray(self.image(photo, sample))

    def f32(self, photo: bytes, sample: dict) -> object:
        tensor = self.functional.to_tensor(self.image(photo, sample))
        return self.functional.normalize(tensor, self.mean, self.std, inplace=True)


class TorchvisionIo(Peer):
    """torchvision's own decoder and its transforms on tensors."""

    title = "torchvision.io"
    antialiased = True
    packages = ("torchvision",)

    def __init__(self, job: dict):
        super().__init__(job)
        import torch
        from torchvision.io import ImageReadMode, decode_jpeg
        from torchvision.transforms.v2 import functional

        torch.set_num_threads(1)
        self.torch, self.functional = torch, functional
        self.decode = lambda photo: decode_jpeg(photo, mode=ImageReadMode.RGB)
        self.photos = [torch.frombuffer(bytearray(photo), dtype=torch.uint8) for photo in self.photos]

    def planes(self, photo: object, sample: dict) -> object:
        top, left, height, width = (sample[key] for key in ("y", "x", "height", "width"))
        planes = self.functional.resized_crop(self.decode(photo), top, left, height, width, self.size, antialias=True)
        return self.functional.horizontal_flip(planes) if sample["flip"] else planes

    def u8(self, photo: object, sample: dict) -> object:
        return self.planes(photo, sample).permute(1, 2, 0).contiguous()

    def f32(self, photo: object, sample: dict) -> object:
        floats = self.functional.to_dtype(self.planes(photo, sample), self.torch.float32, scale=True)
        return self.functional.normalize(floats, self.mean, self.std, inplace=True)


class OpenCv(Peer):
    """Its resize does not antialias. `blobFromImage` is its fastest way from pixels to a normalised tensor, and lends
    itself to the peers below, which have none of their own."""

    title = "OpenCV"
    antialiased = False
    packages = ("opencv-python-headless",)

    def __init__(self, job: dict):
        super().__init__(job)
        import cv2

        cv2.setNumThreads(1)
        self.cv2 = cv2
        self.blob = cv2.dnn.Image2BlobParams()
        self.blob.scalefactor = (*(1 / (255 * std) for std in self.std), 0)
        self.blob.mean = (*(255 * mean for mean in self.mean), 0)
        self.blob.ddepth = cv2.CV_32F

    def decode(self, photo: bytes) -> numpy.ndarray:
        flags = self.cv2.IMREAD_COLOR_RGB | self.cv2.IMREAD_IGNORE_ORIENTATION
        return self.cv2.imdecode(numpy.frombuffer(photo, numpy.uint8), flags)

    def u8(self, photo: bytes, sample: dict) -> numpy.ndarray:
        x, y, width, height = (sample[key] for key in ("x", "y", "width", "height"))
        crop = self.decode(photo)[y : y + height, x : x + width]
        return self.finish(crop, sample)

    def finish(self, crop: numpy.ndarray, sample: dict) -> numpy.ndarray:
        resized = self.cv2.resize(crop, self.size[::-1], interpolation=self.cv2.INTER_LINEAR)
        return self.cv2.flip(resized, 1) if sample["flip"] else resized

    def f32(self, photo: bytes, sample: dict) -> numpy.ndarray:
        return self.cv2.dnn.blobFromImageWithParams(self.u8(photo, sample), self.blob)[0]


class Simplejpeg(OpenCv):
    """libjpeg-turbo with little around it; the rest is OpenCV's."""

    title = "simplejpeg + OpenCV"
    antialiased = False
    packages = ("simplejpeg", "opencv-python-headless")

    def __init__(self, job: dict):
        super().__init__(job)
        import simplejpeg

        self.simplejpeg = simplejpeg

    def decode(self, photo: bytes) -> numpy.ndarray:
        return self.simplejpeg.decode_jpeg(photo)


class SimplejpegScaled(Simplejpeg):
    """As above, decoded at the smallest scale that leaves the crop larger than the output: the peer of `fast`."""

    title = "simplejpeg scaled + OpenCV"

    def u8(self, photo: bytes, sample: dict) -> numpy.ndarray:
        height, width = self.simplejpeg.decode_jpeg_header(photo)[:2]
        # The least size of the whole photo at which the crop has as many pixels as the output.
        least = (-(-height * self.size[0] // sample["height"]), -(-width * self.size[1] // sample["width"]))
        if least[0] >= height or least[1] >= width:
            return super().u8(photo, sample)
        decoded = self.simplejpeg.decode_jpeg(photo, min_height=least[0], min_width=least[1])
        down, across = decoded.shape[0] / height, decoded.shape[1] / width
        top, left = round(sample["y"] * down), round(sample["x"] * across)
        bottom, right = round((sample["y"] + sample["height"]) * down), round((sample["x"] + sample["width"]) * across)
        return self.finish(decoded[top:bottom, left:right], sample)


class Pyvips(OpenCv):
    """libvips streams the photo through crop and resize; its cache of results would be cheating."""

    title = "pyvips"
    antialiased = True
    packages = ("pyvips", "opencv-python-headless")

    def __init__(self, job: dict):
        super().__init__(job)
        import pyvips

        pyvips.cache_set_max(0)
        self.pyvips = pyvips

    def u8(self, photo: bytes, sample: dict) -> numpy.ndarray:
        x, y, width, height = (sample[key] for key in ("x", "y", "width", "height"))
        image = self.pyvips.Image.new_from_buffer(photo, "", access="sequential").crop(x, y, width, height)
        image = image.resize(self.size[1] / width, vscale=self.size[0] / height, kernel="linear")
        return (image.fliphor() if sample["flip"] else image).numpy()


class Spdl(OpenCv):
    """FFmpeg's decoder and filters."""

    title = "SPDL"
    antialiased = True
    packages = ("spdl_io", "opencv-python-headless")

    def __init__(self, job: dict):
        super().__init__(job)
        import spdl.io

        self.io = spdl.io
        self.config = spdl.io.decode_config(decoder_options={"threads": "1"})

    def u8(self, photo: bytes, sample: dict) -> numpy.ndarray:
        crop = "crop={width}:{height}:{x}:{y}:exact=1".format(**sample)
        scale = f"scale={self.size[1]}:{self.size[0]}:flags=bilinear"
        flip = ["hflip"] if sample["flip"] else []
        filters = ",".join([crop, scale, "format=pix_fmts=rgb24", *flip])
        return self.io.to_numpy(self.io.load_image(photo, decode_config=self.config, filter_desc=filters))


class Batched(Peer):
    """A peer that works in batches of its own."""

    BATCH = 32

    def batches(self) -> Iterator[list[dict]]:
        for first in range(0, len(self.samples), self.BATCH):
            yield self.samples[first : first + self.BATCH]


class Dali(Batched):
    """DALI's CPU operators; its decoder is told the box. Not pipelined: on one core that could only cost."""

    title = "DALI, CPU"
    antialiased = True
    packages = ("nvidia-dali-cuda120",)

    def __init__(self, job: dict):
        super().__init__(job)
        self.photos = [numpy.frombuffer(photo, numpy.uint8) for photo in self.photos]
        self.pipelines = {output: self.pipeline(output) for output in ("f32", "u8")}

    def pipeline(self, output: str) -> object:
        from nvidia.dali import fn, pipeline_def, types

        @pipeline_def(
            batch_size=self.BATCH, num_threads=1, device_id=None, prefetch_queue_depth=1,
            exec_dynamic=False, exec_pipelined=False, exec_async=False,
        )  # fmt: skip
        def pipeline() -> object:
            photos = fn.external_source(name="photos", dtype=types.UINT8, ndim=1, no_copy=True)
            start = fn.external_source(name="start", dtype=types.INT32, ndim=1)
            shape = fn.external_source(name="shape", dtype=types.INT32, ndim=1)
            flip = fn.external_source(name="flip", dtype=types.INT32, ndim=0)
            crops = fn.decoders.image_slice(
                photos, start=start, shape=shape, axes=(0, 1), output_type=types.RGB, adjust_orientation=False
            )
            crops = fn.resize(crops, size=self.size, interp_type=types.INTERP_LINEAR, antialias=True)
            if output == "u8":
                return fn.flip(crops, horizontal=flip)
            mean, std = ([255 * value for value in values] for values in (self.mean, self.std))
            return fn.crop_mirror_normalize(
                crops, dtype=types.FLOAT, output_layout="CHW", mean=mean, std=std, mirror=flip
            )

        built = pipeline()
        built.build()
        return built

    def each(self, output: str) -> Iterator[object]:
        pipeline = self.pipelines[output]
        for batch in self.batches():
            pipeline.feed_input("photos", [self.photos[sample["photo"]] for sample in batch])
            pipeline.feed_input("start", [numpy.array([s["y"], s["x"]], numpy.int32) for s in batch])
            pipeline.feed_input("shape", [numpy.array([s["height"], s["width"]], numpy.int32) for s in batch])
            pipeline.feed_input("flip", [numpy.array(s["flip"], numpy.int32) for s in batch])
            yield pipeline.run()[0].as_array()


class TfData(Batched):
    """`decode_and_crop_jpeg` in a `map`. Its resize does not antialias unless asked, and nobody asks."""

    title = "tf.data"
    antialiased = False
    packages = ("tensorflow-cpu",)

    def __init__(self, job: dict):
        super().__init__(job)
        import tensorflow

        self.tf = tf = tensorflow
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        self.photos = tf.constant(self.photos)
        self.datasets = {output: self.dataset(output) for output in ("f32", "u8")}

    def dataset(self, output: str) -> object:
        tf = self.tf
        mean, std = (tf.constant(values) * 255 for values in (self.mean, self.std))

        def make(photo: object, window: object, flip: object) -> object:
            crop = tf.image.decode_and_crop_jpeg(tf.gather(self.photos, photo), window, channels=3)
            crop = tf.image.resize(crop, self.size, method="bilinear")
            crop = tf.cond(flip, lambda: tf.reverse(crop, [1]), lambda: crop)
            if output == "u8":
                return tf.cast(tf.round(crop), tf.uint8)
            return tf.transpose((crop - mean) / std, (2, 0, 1))

        windows = [[s["y"], s["x"], s["height"], s["width"]] for s in self.samples]
        columns = ([s["photo"] for s in self.samples], windows, [s["flip"] for s in self.samples])
        options = tf.data.Options()
        options.threading.private_threadpool_size = 1
        options.threading.max_intra_op_parallelism = 1
        return tf.data.Dataset.from_tensor_slices(columns).map(make).batch(self.BATCH).with_options(options)

    def each(self, output: str) -> Iterator[object]:
        return self.datasets[output].as_numpy_iterator()


PEERS = {
    "pillow": Pillow,
    "torchvision-io": TorchvisionIo,
    "opencv": OpenCv,
    "simplejpeg": Simplejpeg,
    "simplejpeg-scaled": SimplejpegScaled,
    "pyvips": Pyvips,
    "spdl": Spdl,
    "dali": Dali,
    "tf-data": TfData,
}
