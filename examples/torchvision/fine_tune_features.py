"""Trains a linear classifier on the features of a frozen network.

    fine_tune_features.py /srv/photos --epochs 10
"""

import argparse

import torch
import torchvision.transforms as T
from torch.utils.data import DataLoader
from torchvision import datasets, models

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("data", help="folder with a folder of photos for each class")
parser.add_argument("-j", "--workers", type=int, default=0, help="data loading workers")
parser.add_argument("--epochs", type=int, default=10)
parser.add_argument("-b", "--batch-size", type=int, default=64)
parser.add_argument("--lr", type=float, default=1e-3)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--out", default="head.pt", help="save the classifier to this file")


def main() -> None:
    args = parser.parse_args()
    torch.manual_seed(args.seed)

    backbone = models.mobilenet_v2(weights="DEFAULT").features.eval()
    normalize = T.Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])
    transform = T.Compose([T.Resize(256), T.CenterCrop(224), T.ToTensor(), normalize])
    data = datasets.ImageFolder(args.data, transform)
    loader = DataLoader(data, args.batch_size, shuffle=True, num_workers=args.workers)

    head = torch.nn.LazyLinear(len(data.classes))
    criterion = torch.nn.CrossEntropyLoss()
    optimizer = None
    for epoch in range(args.epochs):
        right = seen = 0
        for images, labels in loader:
            with torch.no_grad():
                features = backbone(images).mean([2, 3])
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
