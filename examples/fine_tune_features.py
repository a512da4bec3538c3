"""Trains a linear classifier on the features of a frozen network.

    fine_tune_features.py node1:7440,node2:7440 --model mobilenet --epochs 10
"""

import argparse

import headwater
import torch
from torch.utils.data import DataLoader

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("servers", help="storage servers: HOST:PORT,HOST:PORT")
parser.add_argument("--dataset", default="photos", help="its name at the servers")
parser.add_argument("--model", required=True, help="a network that is registered at the servers")
parser.add_argument("-j", "--workers", type=int, default=0, help="data loading workers")
parser.add_argument("--epochs", type=int, default=10)
parser.add_argument("-b", "--batch-size", type=int, default=64)
parser.add_argument("--lr", type=float, default=1e-3)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--out", default="head.pt", help="save the classifier to this file")


def main() -> None:
    args = parser.parse_args()
    torch.manual_seed(args.seed)

    settings = {"cut": "features", "model": args.model, "seed": args.seed, "batch_size": args.batch_size}
    data = headwater.IterableDataset(args.servers, args.dataset, **settings)
    loader = DataLoader(data, batch_size=None, num_workers=args.workers)

    head = torch.nn.LazyLinear(len(data.classes))
    criterion = torch.nn.CrossEntropyLoss()
    optimizer = None
    for epoch in range(args.epochs):
        right = seen = 0
        data.set_epoch(epoch)
        for features, labels in loader:
            logits = head(features)
            loss = criterion(logits, labels)
            optimizer = optimizer or torch.optim.Adam(head.parameters(), args.lr)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            right += int((logits.argmax(1) == labels).sum())
            seen += len(labels)
        print(f"epoch {epoch}  right {right}/{seen}  loss {loss.item():.6f}", flush=True)
    torch.save(head.state_dict(), args.out)


if __name__ == "__main__":
    main()
