"""CDISC pilot study: SDTM LB, DM and EX. Loaded as it is, by `[sources.cdisc]`.

`LBORRES` with `LBORRESU` is what the laboratory reported; the same rows in standard units
(`LBSTRESC`, `LBSTRESU`) go in by `[sources.cdisc_si]` and must give the same answer.
Start: first exposure; a dose event for each change of dose; stop: last exposure.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from tools.real_data.prepared import Load, Prepared, assemble, day_of, read_text, seen_on


def prepare(folder: Path, out: Path) -> Prepared:
    return _with_source(folder, "cdisc")


def prepare_si(folder: Path, out: Path) -> Prepared:
    return _with_source(folder, "cdisc_si")


def _with_source(folder: Path, source: str) -> Prepared:
    subjects = read_text(folder / "dm.csv")
    results = folder / "lb.csv"
    people = pd.DataFrame(
        {
            "mrn": subjects["USUBJID"],
            "started_on": day_of(
                subjects["RFXSTDTC"].where(lambda it: it != "", subjects["DMDTC"])
            ),
            "birth_date": day_of(subjects["BRTHDTC"]),
            "sex": subjects["SEX"],
        }
    )
    labs = read_text(results)
    return assemble(
        people,
        (Load(path=results, source=source),),
        seen_on(labs["USUBJID"], day_of(labs["LBDTC"])),
        _events(subjects, read_text(folder / "ex.csv")),
    )


def _events(subjects: pd.DataFrame, exposure: pd.DataFrame) -> pd.DataFrame:
    exposure = exposure.sort_values(["USUBJID", "EXSTDTC"], kind="stable")
    changed = exposure["EXDOSE"] != exposure.groupby("USUBJID")["EXDOSE"].shift()
    given = pd.to_numeric(exposure["EXDOSE"]) > 0
    doses = exposure[changed & given & (exposure["EXSTDTC"] != "")]
    stops = subjects[subjects["RFXENDTC"] != ""]
    deaths = subjects[subjects["DTHDTC"] != ""]
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "mrn": doses["USUBJID"],
                    "on": day_of(doses["EXSTDTC"]),
                    "event": "dose",
                    "value": doses["EXDOSE"],
                }
            ),
            pd.DataFrame(
                {"mrn": stops["USUBJID"], "on": day_of(stops["RFXENDTC"]), "event": "stop"}
            ),
            pd.DataFrame(
                {"mrn": deaths["USUBJID"], "on": day_of(deaths["DTHDTC"]), "event": "died"}
            ),
        ]
    )
