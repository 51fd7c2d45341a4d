"""Write breast_cancer_train.csv and breast_cancer_test.csv: the Wisconsin diagnostic set, divided 70/30.

The data is what scikit-learn ships: W. Wolberg, O. Mangasarian, N. Street, W. Street, "Breast Cancer Wisconsin
(Diagnostic)", UCI Machine Learning Repository, 1993, https://doi.org/10.24432/C5DW2B, CC BY 4.0. The division is
stratified and seeded.
"""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

data = load_breast_cancer(as_frame=True)
frame = data.data.assign(diagnosis=np.array(data.target_names)[data.target])
train, test = train_test_split(frame, test_size=0.3, stratify=frame["diagnosis"], random_state=42)
for name, part in (("train", train), ("test", test)):
    part.to_csv(Path(__file__).with_name(f"breast_cancer_{name}.csv"), index=False)
