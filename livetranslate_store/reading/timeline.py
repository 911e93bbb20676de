"""The timeline of a session: rows of the driver become values, with nothing between."""

from livetranslate_store.reading.paging import PageReader
from livetranslate_store.values import TimelineEntry, TimelinePage

#: Its rows have the columns of TimelineEntry in its order.
TIMELINE = PageReader("timeline", "entries", TimelineEntry, TimelinePage)
