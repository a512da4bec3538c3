"""Trains, and goes on from its last checkpoint when it is started again.

    resume.py /srv/photos --checkpoint last.pt
"""

import argparse
import os

import torch
import torchvision.transforms as T
from torch.utils.data import DataLoader
from torchvision import datasets, models

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("data", help="folder with a folder of photos for each class")
parser.add_argument("-a", "--arch", default="resnet18", help="a network of torchvision.models")
parser.add_argument("-j", "--workers", type=int, default=4, help="data loading workers")
parser.add_argument("--epochs", type=int, default=90)
parser.add_argument("-b", "--batch-size", type=int, default=256)
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--checkpoint", default="last.pt", help="saved here, and loaded from here")
parser.add_argument("--every", type=int, default=100, help="steps between two checkpoints")
parser.add_argument("--stop-after", type=int, default=None, help="end after so many steps, as a crash would")


def main() -> None:
    args = parser.parse_args()
    torch.manual_seed(args.seed)

    normalize = T.Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])
    transform = T.Compose([T.RandomResizedCrop(224), T.RandomHorizontalFlip(), T.ToTensor(), normalize])
    data = datasets.ImageFolder(args.data, transform)
    loader = DataLoader(data, args.batch_size, shuffle=True, num_workers=args.workers)

    network = models.get_model(args.arch, num_classes=len(data.classes))
    criterion = torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(network.parameters(), args.lr)
    first, steps = 0, 0
    if os.path.exists(args.checkpoint):
        saved = torch.load(args.checkpoint)
        network.load_state_dict(saved["network"])
        optimizer.load_state_dict(saved["optimizer"])
        first, steps = saved["epoch"], saved["steps"]

    for epoch in range(first, args.epochs):
        for step, (images, labels) in enumerate(loader, start=1):
            loss = criterion(network(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            steps += 1
            print(f"epoch {epoch}  step {step}  of all {steps}  loss {loss.item():.6f}", flush=True)
            if steps % args.every == 0 or steps == args.stop_after:
                saved = {"network": network.state_dict(), "optimizer": optimizer.state_dict()}
                saved.update(epoch=epoch, steps=steps)
                torch.save(saved, args.checkpoint)
            if steps == args.stop_after:
                return


if __name__ == "__main__":
    main()
