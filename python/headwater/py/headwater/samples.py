"""What one sample is, or one batch, to whoever reads a dataset: some fields, out of rows from the servers."""

from typing import Any, Callable, Dict

import numpy as np
import numpy.typing as npt

from headwater._headwater import HeadwaterError
from headwater.columns import Columns
from headwater.failures import Rows
from headwater.reading import Reading
from headwater.rest import stacked
from headwater.selection import Selection
from headwater.torches import batched_again, collated, tensor


#: The index of no sample: in whose place a sample is that is in its own.
NONE = -1


class Samples:
    """Makes samples and batches of rows."""

    def __init__(self, reading: Reading, selection: Selection, columns: Columns) -> None:
        self._reading, self._selection, self.columns = reading, selection, columns

    def one(self, rows: Rows, at: int) -> Any:
        """The sample of one row."""
        return self._fields(
            {
                "image": lambda: self._image(rows.values[at]),
                "label": lambda: self._selection.label(int(rows.labels[at])),
                "key": lambda: rows.keys[at],
                "index": lambda: int(rows.indices[at]),
                "replaced": lambda: NONE if rows.replaced is None else int(rows.replaced[at]),
            },
            lambda name: self.columns.one(name, rows.columns, at, rows.keys[at]),
        )

    def batch(self, rows: Rows) -> Any:
        """All rows as one batch. HeadwaterError where a DataLoader would make batches of batches."""
        if batched_again():
            raise HeadwaterError(
                "this dataset makes batches, and so does the DataLoader that reads it: give DataLoader(data, "
                "batch_size=None), or leave batch_size= out of the dataset"
            )
        return self._fields(
            {
                "image": lambda: self._images(rows.values),
                "label": lambda: self._labels(rows.labels),
                "key": lambda: list(rows.keys),
                "index": lambda: self._given(rows.indices.astype(np.int64)),
                "replaced": lambda: self._given(self._replaced(rows)),
            },
            lambda name: self.columns.batch(name, rows.columns, rows.keys),
        )

    def _fields(self, makers: Dict[str, Callable[[], Any]], own: Callable[[str], Any]) -> Any:
        """A tuple of the fields that were asked for, of which `own` makes the dataset's; a single field by itself."""
        given = tuple(makers[field]() if field in makers else own(field) for field in self._reading.fields)
        return given if len(given) > 1 else given[0]

    def _replaced(self, rows: Rows) -> npt.NDArray[np.int64]:
        return np.full(len(rows.indices), NONE, dtype=np.int64) if rows.replaced is None else rows.replaced

    def _labels(self, labels: npt.NDArray[np.int64]) -> Any:
        """The labels of a batch: numbers, or what default_collate makes of target_transform's."""
        if not self._selection.transforms:
            return self._given(labels)
        made = [self._selection.label(label) for label in labels.tolist()]
        return np.asarray(made) if self._reading.output == "numpy" else collated(made)

    def _given(self, array: npt.NDArray[Any]) -> Any:
        """The array as its reader gets it: a tensor that shares its memory, or itself."""
        return array if self._reading.output == "numpy" else tensor(array)

    def _image(self, row: npt.NDArray[Any]) -> Any:
        reading = self._reading
        image = reading.rest(row) if reading.rest else self._given(row)
        if reading.output == "numpy" and hasattr(image, "detach"):
            image = image.numpy()
        return image if reading.transform is None else reading.transform(image)

    def _images(self, values: npt.NDArray[Any]) -> Any:
        if not (self._reading.rest or self._reading.transform is not None) or len(values) == 0:
            return self._given(values)
        return stacked([self._image(row) for row in values])
