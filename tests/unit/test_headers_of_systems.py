"""Headers as further hospital systems and languages write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config import Source
from monitor.core.catalogue_file import load_catalogue
from monitor.core.result_columns import ALL_COLUMNS
from monitor.intake.columns import match
from monitor.intake.raw import RawRow
from monitor.intake.survey import UnreadableFile, survey
from monitor.intake.table_reader import read_tables
from monitor.resources import schedules_folder

HEADERS = {
    "a German system, the limits one by one": (
        (
            "Patientenkennung|Abnahmedatum|Uhrzeit Abnahme|Test|Testbezeichnung|Ergebniswert|"
            "Ergebniseinheit|Normalwert unten|Normalwert oben|Status des Ergebnisses|Laborkommentar"
        ),
        "mrn|collected_at|collected_time|analyte|code|value|unit|ref_low|ref_high|status|comment",
    ),
    "a German number beside a result": (
        "Patientennummer|Abnahmedatum|Analyse|Ergebnis|Ergebnis numerisch|Einheit",
        "mrn|collected_at|analyte|value|value_number|unit",
    ),
    "a French system": (
        (
            "N° de patient|Date prise de sang|Libellé de l'analyse|Valeur du résultat|"
            "Unité résultat|Limite basse|Limite haute|Commentaire labo"
        ),
        "mrn|collected_at|analyte|value|unit|ref_low|ref_high|comment",
    ),
    "a Dutch system": (
        (
            "Patiëntnummer|Datum/tijd afname|Bepaling naam|Numerieke uitslag|Uitslag|Eenheid|"
            "Ref. ondergrens|Ref. bovengrens|Toelichting"
        ),
        "mrn|collected_at|analyte|value_number|value|unit|ref_low|ref_high|comment",
    ),
    "a Spanish system": (
        (
            "N.º de historia|Fecha de la extracción|Hora de la extracción|"
            "Nombre de la determinación|Valor resultado|Unidades medida|Límite inferior referencia|"
            "Límite superior referencia|Estado de la prueba|Comentario resultado"
        ),
        "mrn|collected_at|collected_time|analyte|value|unit|ref_low|ref_high|status|comment",
    ),
    "an Italian system": (
        (
            "Identificativo paziente|Data prelievo|Nome dell'esame|Valore risultato|Unità misura|"
            "Intervallo riferimento|Stato validazione|Commento risultato"
        ),
        "mrn|collected_at|analyte|value|unit|range|status|comment",
    ),
    "a status called like a display of its code": (
        "MRN|EVENT_CD_DISP|RESULT_VAL|RESULT_UNITS_CD_DISP|RESULT_STATUS_CD_DISP|EVENT_END_DT_TM",
        "mrn|analyte|value|unit|status|collected_at",
    ),
    "Indian hospitals": (
        "UHID|Reg No|Sample Coll. Date|Investigation Name|Observed Value|Unit|Bio. Ref. Range",
        "mrn||collected_at|analyte|value|unit|range",
    ),
    "limits called l and u": (
        "MRN|Collected|Test|Result|Unit|norm_l|norm_u",
        "mrn|collected_at|analyte|value|unit|ref_low|ref_high",
    ),
    "limits called in German u and o": (
        "MRN|Collected|Test|Result|Unit|Norm U|Norm O",
        "mrn|collected_at|analyte|value|unit|ref_low|ref_high",
    ),
    "a registration number alone": (
        "Reg No|Collection Date|Test|Result|Unit",
        "mrn|collected_at|analyte|value|unit",
    ),
    "the day a tube was received beats that of its order": (
        "MRN|Order Date|Received Date|Test|Result|Unit",
        "mrn||collected_at|analyte|value|unit",
    ),
    "and none of the collection": (
        "MRN|Collected|Received Date|Test|Result|Unit",
        "mrn|collected_at||analyte|value|unit",
    ),
    "a number beside a result": (
        "MRN|Collected|Test|Result|Result Numeric|Unit|Component Comment",
        "mrn|collected_at|analyte|value|value_number|unit|comment",
    ),
    "Japanese": (
        "患者番号|採取日|検査項目名称|検査結果値|単位|下限値|上限値|検体種別",
        "mrn|collected_at|analyte|value|unit|ref_low|ref_high|material",
    ),
    "Japanese, with both names of a test": (
        "患者番号|採取日|検査項目名|検査項目名称|結果|単位",
        "mrn|collected_at|analyte||value|unit",
    ),
    "Chinese": (
        "登记号|采样时间|报告时间|指标名称|测试结果|单位|参考值下限|参考值上限|标本类型|备注",
        "mrn|collected_at|reported_at|analyte|value|unit|ref_low|ref_high|material|comment",
    ),
    "Korean": (
        "병록번호|채혈일|검사항목명|검사결과값|단위|참고범위|검체",
        "mrn|collected_at|analyte|value|unit|range|material",
    ),
    "Russian: the panel beside its part": (
        "№ карты|ФИО|Дата взятия|Биоматериал|Исследование|Показатель|Результат|Ед. изм.",
        "mrn|patient_name|collected_at|material|order|analyte|value|unit",
    ),
    "Russian: one name": (
        "ID пациента|Дата исследования|Анализ|Результат|Единицы|Нормы",
        "mrn|collected_at|analyte|value|unit|range",
    ),
    "Spanish": (
        "NHC|F. nacimiento|F. muestra|Prueba|Resultado|Unidad medida|V. ref. mín|V. ref. máx",
        "mrn|birth_date|collected_at|analyte|value|unit|ref_low|ref_high",
    ),
    "an analysis beside what it was made of": (
        (
            "USUBJID|LBTEST|LBORRES|LBORRESU|LBORNRLO|LBORNRHI|LBSTRESC|LBSTRESU|LBSTNRLO|"
            "LBSTNRHI|LBDTC|AVAL|ANRLO|ANRHI"
        ),
        (
            "mrn|analyte|value|unit|ref_low|ref_high|value_converted|unit_converted|"
            "low_converted|high_converted|collected_at|||"
        ),
    ),
    "an analysis with a unit of its own": (
        "USUBJID|PARAM|AVAL|AVALU|ANRLO|ANRHI|ADTM",
        "mrn|analyte|value|unit|ref_low|ref_high|collected_at",
    ),
    "an SI unit is none of what was reported otherwise": (
        "MRN|Collected|Test|Result|SI Unit",
        "mrn|collected_at|analyte|value|",
    ),
    "the unit of an analysis is none of what was reported": (
        "USUBJID|LBTEST|LBORRES|AVALU|LBDTC",
        "mrn|analyte|value||collected_at",
    ),
    "a system that calls a patient's number that of a unit": (
        "Patient|Unit #|Acct #|Coll Date|Coll Time|Test|Result|Flag|Units|Normal Range",
        "patient_name|mrn||collected_at|collected_time|analyte|value|flag|unit|range",
    ),
    "a unit of blood beside the patient's number": (
        "MRN|Unit #|Collected|Test|Result|Units",
        "mrn||collected_at|analyte|value|unit",
    ),
    "veterans": (
        "PatientSSN|PatientName|LabChemSpecimenDateTime|LabChemTestName|LabChemResultValue|Units",
        "mrn|patient_name|collected_at|analyte|value|unit",
    ),
    "i2b2": (
        (
            "ENCOUNTER_NUM|PATIENT_NUM|CONCEPT_CD|START_DATE|MODIFIER_CD|VALTYPE_CD|TVAL_CHAR|"
            "NVAL_NUM|VALUEFLAG_CD|UNITS_CD|END_DATE"
        ),
        "|mrn|code|collected_at|||comparator|value|flag|unit|",
    ),
    "the start of something else": (
        "Patient ID|Start date|Test|Result|Unit",
        "mrn||analyte|value|unit",
    ),
    "FHIR laid flat": (
        (
            "Patient MRN|status|code.coding[0].code|code.coding[0].display|effectiveDateTime|"
            "valueQuantity.value|valueQuantity.comparator|valueQuantity.unit|"
            "referenceRange[0].low.value|referenceRange[0].high.value"
        ),
        "mrn|status|code|analyte|collected_at|value|comparator|unit|ref_low|ref_high",
    ),
    "the time of a test beside its day": (
        "Patient No|Test Date|Test Time|Test|Result|Unit",
        "mrn|collected_at|collected_time|analyte|value|unit",
    ),
    "and beside the day of collection": (
        "Patient No|Collection Date|Test Time|Test|Result|Unit",
        "mrn|collected_at||analyte|value|unit",
    ),
    "OMOP's time of a measurement": (
        "person_id|concept_name|measurement_date|measurement_time|value_as_number|unit_source_value",
        "mrn|analyte|collected_at|collected_time|value|unit",
    ),
    "a form for a study": (
        "Record ID|Event Name|Date of labs|Test|Result|Units",
        "mrn||collected_at|analyte|value|unit",
    ),
    "Polish": (
        "PESEL|Data pobrania|Badanie|Wynik|Jednostka|Zakres ref.",
        "mrn|collected_at|analyte|value|unit|range",
    ),
    "Indonesian": (
        "Nomor rekam medis|Tanggal pengambilan|Jenis pemeriksaan|Hasil|Satuan|Nilai rujukan",
        "mrn|collected_at|analyte|value|unit|range",
    ),
    "Vietnamese": (
        "Mã bệnh nhân|Ngày lấy mẫu|Tên xét nghiệm|Kết quả|Đơn vị|CSBT",
        "mrn|collected_at|analyte|value|unit|range",
    ),
}


@pytest.mark.parametrize(("header", "ours"), HEADERS.values(), ids=HEADERS.keys())
def test_a_header_is_read(header: str, ours: str) -> None:
    names = header.split("|")
    found = {place: name for name, place in match(names, ALL_COLUMNS).positions.items()}
    assert [found.get(place, "") for place in range(len(names))] == ours.split("|")


def test_a_header_that_lacks_something_is_told_what_may_find_it(tmp_path: Path) -> None:
    text = (schedules_folder() / "analytes.toml").read_text(encoding="utf-8")
    catalogue = load_catalogue(text, "analytes.toml")
    path = tmp_path / "file.csv"
    path.write_text("Date,Patient ID,Name,Value,Unit\n2026-03-13,1,WBC,3,G/L\n")
    with pytest.raises(UnreadableFile, match="monitor source learn FILE --name LAB"):
        read_tables(survey(path), Source(), catalogue)
    path.write_text("MRN,Test,Result,Unit,result_date,result_time\n1,WBC,3,G/L,2026-03-13,08:00\n")
    advice = 'collected_at = "result_date", collected_time = "result_time"'
    with pytest.raises(UnreadableFile, match=advice):
        read_tables(survey(path), Source(), catalogue)
    columns = {"collected_at": "result_date", "collected_time": "result_time"}
    (read,), _ = read_tables(survey(path), Source(columns=columns), catalogue)
    (row,) = read.rows()
    assert isinstance(row, RawRow)
    assert row.collected_at == "2026-03-13 08:00"
