"""Train, test and report one model: ``python train.py experiment=fusion_small``. conf/train.yaml is the index."""

from fusion.training.run import main

if __name__ == "__main__":
    main()
