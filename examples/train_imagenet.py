"""Trains a network on photos, as PyTorch's ImageNet example does.

    torchrun --nproc_per_node 2 train_imagenet.py node1:7440,node2:7440 -a resnet18 -b 256 --epochs 90
"""

import argparse
import os

import headwater
import torch
import torch.distributed as dist
import torchvision.transforms as T
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader
from torchvision import models

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("servers", help="storage servers: HOST:PORT,HOST:PORT")
parser.add_argument("--dataset", default="photos", help="its name at the servers")
parser.add_argument("--cut", help="how far the servers take each photo; the tensors are the same")
parser.add_argument("--plan", help="a cut for each photo: auto, or a file of profiler plan")
parser.add_argument("-a", "--arch", default="resnet18", help="a network of torchvision.models")
parser.add_argument("-j", "--workers", type=int, default=4, help="data loading workers")
parser.add_argument("--epochs", type=int, default=90)
parser.add_argument("-b", "--batch-size", type=int, default=256, help="samples of a step, over all ranks")
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--momentum", type=float, default=0.9)
parser.add_argument("--wd", type=float, default=1e-4, help="weight decay")
parser.add_argument("-p", "--print-freq", type=int, default=10, help="steps between two lines")
parser.add_argument("--steps", type=int, default=None, help="stop each epoch after so many")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--out", default=None, help="save the network to this file after each epoch")


def main() -> None:
    args = parser.parse_args()
    rank, world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    cuda = torch.cuda.is_available()
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0))) if cuda else torch.device("cpu")
    if world > 1:
        dist.init_process_group("nccl" if cuda else "gloo")
    torch.manual_seed(args.seed)

    normalize = T.Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])
    transform = T.Compose([T.RandomResizedCrop(224), T.RandomHorizontalFlip(), T.ToTensor(), normalize])
    settings = {"cut": args.cut, "plan": args.plan, "batch_size": args.batch_size // world, "seed": args.seed}
    data = headwater.IterableDataset(args.servers, args.dataset, transform, **settings)
    loader = DataLoader(data, batch_size=None, num_workers=args.workers, pin_memory=cuda)

    network = models.get_model(args.arch, num_classes=len(data.classes)).to(device)
    if world > 1:
        network = DistributedDataParallel(network, device_ids=[device.index] if cuda else None)
    criterion = torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(network.parameters(), args.lr, momentum=args.momentum, weight_decay=args.wd)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=30, gamma=0.1)

    network.train()
    for epoch in range(args.epochs):
        data.set_epoch(epoch)
        for step, (images, labels) in enumerate(loader):
            if step == args.steps:
                break
            images, labels = images.to(device, non_blocking=True), labels.to(device, non_blocking=True)
            loss = criterion(network(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if rank == 0 and step % args.print_freq == 0:
                print(f"epoch {epoch}  step {step}/{len(loader)}  loss {loss.item():.8f}", flush=True)
        scheduler.step()
        if rank == 0 and args.out is not None:
            torch.save(network.state_dict(), args.out)
    if world > 1:
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
