"""Settings, at each scale, of the methods that learn features of small images: several chapters run them."""

# No dropout, in which labels had a say: on 2,000 images of Fashion-MNIST (one seed, five epochs) NMI went from 0.48 to
# 0.47 with the released half of the inputs of fc6 and fc7 dropped, and to 0.51 without. Colors and gray values in place
# of derivatives: small images have few edges. Batches of 64, and five passes over the images between two clusterings: a
# head that begins anew is to have some updates. An epoch of ImageNet has 5,000; 2,000 images have 32 a pass. Labels saw
# this one too, see `notebooks/deepcluster/DEVIATIONS.md`. The digits of `quick` learn without it.
SMALL = {"dropout": 0.0, "sobel": False, "batch_size": 64, "reassign": 5}
GRAY = {**SMALL, "width": 0.5, "hidden": 256, "pca_dim": 64, "crop": 0.3}
DIGITS = {"reassign": 1, "n_clusters": 30, "hidden": 64, "pca_dim": 24, "crop": 0.5, "flip": False}
DEEPCLUSTER = {
    "quick": {**GRAY, **DIGITS, "epochs": 10},
    "laptop": {**GRAY, "n_clusters": 100, "epochs": 8},
    "paper": {"n_clusters": 100, "width": 4.0, "hidden": 2048, "dropout": 0.0, "sobel": False, "jitter": 0.5},
}

FEW = {"width": 8, "projection_dim": 32, "flip": False, "jitter": 0.4, "grayscale": 0.0, "batch_size": 50, "lr": 0.1}
DEEPCLUSTER_V2 = {
    "quick": {**FEW, "crop": 0.5, "prototypes": 40, "epochs": 6},
    "laptop": {**FEW, "crop": 0.3, "prototypes": 100, "epochs": 15},
    "paper": {"prototypes": 300, "epochs": 200, "batch_size": 256},
}
SWAV = {
    "quick": {**DEEPCLUSTER_V2["quick"], "eps": 0.02, "frozen_updates": 24},
    "laptop": {**DEEPCLUSTER_V2["laptop"], "eps": 0.02, "frozen_updates": 40},
    "paper": {**DEEPCLUSTER_V2["paper"], "frozen_updates": 195},
}

# SimCLR as a pretext, and the steps of SCAN after it: a small residual network and short schedules. Adam has ten times
# the released step for the whole network, since the updates are a fiftieth of the released ones.
NINE = {"architecture": "resnet-9", "width": 8}
PRETEXT = {
    "quick": {**NINE, "batch_size": 64, "projection_dim": 32, "epochs": 12, "lr": 0.2, "temperature": 0.5},
    "laptop": {**NINE, "batch_size": 128, "projection_dim": 64, "epochs": 25, "lr": 0.2, "temperature": 0.5},
}
STEPS = {"lr": 1e-3, "heads": 10, "frozen_epochs": 20}
SCAN = {
    "quick": {**STEPS, "batch_size": 64, "head_lr": 1e-2, "epochs": 3, "selflabel_epochs": 2},
    "laptop": {**STEPS, "batch_size": 128, "head_lr": 1e-3, "epochs": 8, "selflabel_epochs": 5},
}
