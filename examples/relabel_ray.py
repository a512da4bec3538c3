"""Labels every photo of a dataset with a classifier, on the machines of a Ray cluster.

    relabel_ray.py node1:7440,node2:7440 --model classifier.onnx --out labels

The servers read, decode and resize the photos; Ray's workers run the model. Where the servers have cores to spare, and
a model that is registered, `tuner relabel` does the same without sending a photo.
"""

import argparse

import headwater.ray
import ray

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("servers", help="storage servers: HOST:PORT,HOST:PORT")
parser.add_argument("--dataset", default="photos", help="its name at the servers")
parser.add_argument("--recipe", default="imagenet-eval", help="what the model takes: a name, or a file of TOML")
parser.add_argument("--model", required=True, help="a classifier in ONNX, whose first output is a score for each class")
parser.add_argument("-b", "--batch-size", type=int, default=64)
parser.add_argument("--workers", type=int, default=1, help="processes that run the model, with a CPU each")
parser.add_argument("--out", default="labels", help="a folder for tables in Parquet: key, label, score")


class Classifier:
    """A process that has loaded the model."""

    def __init__(self, model: bytes) -> None:
        import onnxruntime

        self._session = onnxruntime.InferenceSession(model, providers=onnxruntime.get_available_providers())
        self._input = self._session.get_inputs()[0].name

    def __call__(self, batch: dict) -> dict:
        scores = self._session.run(None, {self._input: batch["image"]})[0]
        return {"key": batch["key"], "label": scores.argmax(axis=1), "score": scores.max(axis=1)}


def main() -> None:
    args = parser.parse_args()
    with open(args.model, "rb") as file:
        model = file.read()
    settings = {"batch_size": args.batch_size, "fields": ("image", "key")}
    source = headwater.ray.Datasource(args.servers, args.dataset, args.recipe, **settings)
    labels = ray.data.read_datasource(source).map_batches(
        Classifier,
        fn_constructor_args=(model,),
        batch_size=args.batch_size,
        compute=ray.data.ActorPoolStrategy(size=args.workers),
    )
    labels.write_parquet(args.out, mode=ray.data.SaveMode.OVERWRITE)
    print(f"{ray.data.read_parquet(args.out).count()} photos labelled, in {args.out}")


if __name__ == "__main__":
    main()
