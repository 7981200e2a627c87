"""The statistics of a fit: what has been learned of the rows, for streams to continue."""

import numpy as np

from sgdreg._records import changed, record


@record
class Statistics:
    """What has been learned of the rows so far. It never changes; more rows make a new one.

    Attributes
    ----------
    curvature : Curvature or None
        That of the rows with their targets; of weighted rows where the loss is not
        quadratic.
    sample : Sample or None
        A sample of the rows of a stream, whose weights follow its model.
    stream : Stream or None
        The diagonal of the curvature, where a stream has too many features for all of it.
    answer : ndarray of shape (k, d + 1) or None
        The optimum for the rows of a stream, where the search for the next one begins.
    outputs : tuple of Statistics or None
        Those of each of several outputs, if rows have other weights for each; the other
        attributes are then None.
    """

    curvature: object = None
    sample: object = None
    stream: object = None
    answer: np.ndarray | None = None
    outputs: tuple | None = None

    def in_unit(self, shift):
        """The same, for targets multiplied by 2^shift."""
        known = self.curvature, self.sample, self.stream
        curvature, sample, stream = (part and part.in_unit(shift) for part in known)
        answer = None if self.answer is None else np.ldexp(self.answer, shift)
        outputs = self.outputs and tuple(part.in_unit(shift) for part in self.outputs)
        return Statistics(curvature, sample, stream, answer, outputs)

    def kept(self, plan):
        """The statistics to keep with a model: no curvature too large for a stream."""
        return changed(self, curvature=None, outputs=None) if plan.wide else self

    def of_output(self, output):
        """Those of one of several outputs, for which rows have weights of their own."""
        if self.outputs is not None:
            return self.outputs[output]
        known = self.curvature and self.curvature.of_output(output)
        return Statistics(curvature=known)


NOTHING = Statistics()
