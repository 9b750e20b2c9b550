"""Times in strangers' tables: the columns that hold them, their unit, and what a cell means."""

import datetime
import math

import pandas as pd
import pytest

from xlser.corpora.times import UNITS, is_time, other_unit, read_time, time_columns, unit_of_header


@pytest.mark.parametrize(
    ("value", "unit", "seconds"),
    [
        ("1.5", "seconds", 1.5),
        ("1,5", "seconds", 1.5),
        (" 0 ", "seconds", 0.0),
        (3300, "milliseconds", 3.3),
        ("250000", "microseconds", 0.25),
        ("0.5", "minutes", 30.0),
        ("24000", "samples", 1.5),
        ("0:01:02.5", "clock", 62.5),
        ("1:02:03,250", "clock", 3723.25),
        ("75:30", "clock", 4530.0),
        ("00:00:01.500", "milliseconds", 1.5),
        ("0 days 00:00:00.5", "seconds", 0.5),
        ("0 days 00:00:01,5", "seconds", 1.5),
        ("PT1.5S", "seconds", 1.5),
        ("500 ms", "seconds", 0.5),
        ("2s", "milliseconds", 2.0),
        (pd.Timedelta("1.25s"), "milliseconds", 1.25),
        (datetime.timedelta(minutes=1), "seconds", 60.0),
        (datetime.time(0, 1, 2, 500_000), "clock", 62.5),
        ("-1", "seconds", -1.0),
    ],
)
def test_a_cell_is_read_in_its_unit(value, unit, seconds):
    assert read_time(value, unit, 16000) == pytest.approx(seconds, abs=1e-12)


@pytest.mark.parametrize("value", [None, "", "  ", "nan", math.nan, pd.NaT, pd.NA, "NULL"])
def test_an_empty_cell_is_no_time(value):
    assert read_time(value) is None


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        ("Monday", "seconds"),
        ("1.234,5", "seconds"),
        ("0:61:00", "clock"),
        ("0:00:60", "clock"),
        ("0:00:01:12", "clock"),
        ("12.5", "clock"),
        ("1,500", "milliseconds"),
        ("16,000", "samples"),
        ("1", "frames"),
        ("1", "hours"),
        ("12 bananas", "seconds"),
    ],
)
def test_what_is_no_time_or_may_be_two_is_refused(value, unit):
    with pytest.raises(ValueError, match="time"):
        read_time(value, unit, 16000)


def test_samples_need_a_rate():
    with pytest.raises(ValueError, match="rate"):
        read_time("100", "samples")


@pytest.mark.parametrize(
    ("headers", "columns"),
    [
        (["file", "onset", "offset"], {"start": "onset", "end": "offset"}),
        (["offset", "duration"], {"start": "offset", "duration": "duration"}),
        (["begin_time", "end_time"], {"start": "begin_time", "end": "end_time"}),
        (["Start (s)", "Duration (s)"], {"start": "Start (s)", "duration": "Duration (s)"}),
        (["STARTTIME", "endtime"], {"start": "STARTTIME", "end": "endtime"}),
        (["startMs", "stopMs"], {"start": "startMs", "end": "stopMs"}),
        (["from", "to"], {"start": "from", "end": "to"}),
        (["t0", "t1"], {"start": "t0", "end": "t1"}),
        (["Anfang", "Ende"], {"start": "Anfang", "end": "Ende"}),
        (["start", "length"], {"start": "start", "duration": "length"}),
        (["from", "length", "gender", "weekend", "date_created"], {}),
        (
            ["Begin Time - msec", "End Time - hh:mm:ss.ms", "End Time - msec"],
            {"start": "Begin Time - msec", "end": "End Time - msec"},
        ),
    ],
)
def test_columns_of_times_are_known_by_their_headers(headers, columns):
    assert time_columns(headers) == columns


@pytest.mark.parametrize(
    ("header", "unit"),
    [
        ("start_ms", "milliseconds"),
        ("onset [ms]", "milliseconds"),
        ("Start (s)", "seconds"),
        ("start time in seconds", "seconds"),
        ("begin_sample", "samples"),
        ("startSample", "samples"),
        ("end_frame", "frames"),
        ("Begin Time - hh:mm:ss.ms", "clock"),
        ("Begin Time - ss.msec", "seconds"),
        ("onset", None),
        ("speaker_s", None),
        ("sample", None),
    ],
)
def test_a_header_names_its_unit_or_none(header, unit):
    assert unit_of_header(header) == unit


def test_headers_that_may_be_times_are_seen():
    assert all(map(is_time, ["timestamp", "Time", "start", "offset", "t_end", "Dauer"]))
    assert not any(map(is_time, ["emotion", "from", "to", "length", "time_of_day", "gender", "samples"]))


@pytest.mark.parametrize(
    ("ends", "unit", "other"),
    [
        ([2500, 4000], "seconds", "milliseconds"),
        ([40_000, 79_000], "seconds", "samples"),
        ([40, 79], "milliseconds", "samples"),
        ([2.5, 4], "seconds", None),
        ([2.5, 40], "seconds", None),
        ([2e9, 3e9], "seconds", None),
        ([], "seconds", None),
    ],
)
def test_a_unit_that_the_files_contradict_is_seen(ends, unit, other):
    assert other_unit(ends, [5.0] * len(ends), [16000] * len(ends), unit) == other
    assert other is None or other in UNITS
