"""Tables as laboratories of many countries write them, and what each row comes to."""

from __future__ import annotations

import random
import tracemalloc
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time
from pathlib import Path

import openpyxl
import pytest

from monitor.config import Source
from monitor.core.catalogue import Catalogue
from monitor.core.catalogue_file import load_catalogue
from monitor.intake.formats import open_rows
from monitor.intake.known_names import known_of
from monitor.intake.layout import Given
from monitor.intake.loinc import is_loinc
from monitor.intake.measure import Measures
from monitor.intake.measured import Measure, Problem
from monitor.intake.old_percent_cells import old_percent_cells
from monitor.intake.raw import BadLine, RawRow
from monitor.intake.survey import UnreadableFile, survey
from monitor.intake.vocabulary import vocabulary
from monitor.intake.wide import Known, split_unit
from monitor.intake.workbook import NOT_CALCULATED
from monitor.resources import schedules_folder

Seen = tuple[list[RawRow], list[BadLine], tuple[str, ...]]
Open = Callable[..., Seen]


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    text = (schedules_folder() / "analytes.toml").read_text(encoding="utf-8")
    return load_catalogue(text, "analytes.toml")


@pytest.fixture
def opened(tmp_path: Path, catalogue: Catalogue) -> Open:
    """Rows, bad lines and notes of a file with this content."""

    def read(content: str | bytes | Path, **mapping: object) -> Seen:
        path = tmp_path / "file.csv"
        if isinstance(content, Path):
            path = content
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        source = Source.model_validate(mapping)
        with open_rows(survey(path, source.encoding), source, catalogue) as found:
            items = list(found.items)
        rows = [it for it in items if isinstance(it, RawRow)]
        return rows, [it for it in items if isinstance(it, BadLine)], tuple(found.notes)

    return read


def shown(rows: list[RawRow]) -> list[str]:
    """The cells that count, in one line each."""
    names = ("mrn", "collected_at", "analyte", "value", "unit", "ref_low", "ref_high")
    return [" | ".join(getattr(row, name) for name in names).rstrip(" |") for row in rows]


LONG_FORMS = {
    "english": (
        ("Hospital No,Date of Test,Test Name,Result,Unit,Reference Range,Flag\n"
        "P1,2026-03-13,WBC,3.9,K/uL,3.9 - 11.2,\n"),
        "P1 | 2026-03-13 | WBC | 3.9 | K/uL | 3.9 | 11.2",
    ),
    "german": (
        ("Patientennr.;Abnahmedatum;Uhrzeit;Parameter;Messwert;Einheit;Normbereich\n"
        "P1;13.03.2026;08:30;Leukozyten;3,9;Gpt/l;3,9–11,2\n"),
        "P1 | 13.03.2026 08:30 | Leukozyten | 3,9 | Gpt/l | 3,9 | 11,2",
    ),
    "french": (
        ("N° patient;Date de prélèvement;Analyse;Résultat;Unité;Valeurs de référence\n"
        "P1;13/03/2026;Leucocytes;3,9;G/L;[4,0 - 10,0]\n"),
        "P1 | 13/03/2026 | Leucocytes | 3,9 | G/L | 4,0 | 10,0",
    ),
    "spanish": (
        ("Nº historia;Fecha de extracción;Determinación;Resultado;Unidades;Valores de referencia\n"
        "P1;13/03/2026;Leucocitos;3,9;10^3/µL;hasta 11\n"),
        "P1 | 13/03/2026 | Leucocitos | 3,9 | 10^3/µL |  | 11",
    ),
    "italian": (
        ("Codice paziente\tData prelievo\tEsame\tRisultato\tU.M.\tValori di riferimento\n"
        "P1\t13/03/2026\tPiastrine\t150\tx10^3/uL\t> 140\n"),
        "P1 | 13/03/2026 | Piastrine | 150 | x10^3/uL | 140",
    ),
    "portuguese": (
        ("Prontuário;Data da coleta;Exame;Resultado;Unidade;Referência\n"
        "P1;13/03/2026;Plaquetas;150;mil/mm3;150 a 400\n"),
        "P1 | 13/03/2026 | Plaquetas | 150 | mil/mm3 | 150 | 400",
    ),
    "dutch": (
        ("Patiëntnummer|Afnamedatum|Bepaling|Uitslag|Eenheid|Referentiewaarden\n"
        "P1|13-03-2026|Leukocyten|3,9|10^9/l|4 tot 10\n"),
        "P1 | 13-03-2026 | Leukocyten | 3,9 | 10^9/l | 4 | 10",
    ),
    "codes and names": (
        ("patient_id,loinc,test,collection_date,value,units\n"
        "P1,6690-2,White cells,2026-03-13,3.9,10*3/uL\n"),
        "P1 | 2026-03-13 | 6690-2 | 3.9 | 10*3/uL",
    ),
    "date and time apart, midnight in the date": (
        ("mrn,Collected Date,Collected Time,test,result,unit\n"
        "P1,2026-03-13 00:00,8:05,WBC,3.9,K/uL\n"),
        "P1 | 2026-03-13 8:05 | WBC | 3.9 | K/uL",
    ),
    "a text beside the number says more": (
        "mrn,labdate,test,ResultTxt,Result_nbr,ResultUnit\nP1,2026-03-13,WBC,<0.1,0.1,K/uL\n",
        "P1 | 2026-03-13 | WBC | <0.1 | K/uL",
    ),
    "the header in quotes over two lines": (
        'mrn,"Collection\nDate",test,result,unit\nP1,2026-03-13,WBC,3.9,K/uL\n',
        "P1 | 2026-03-13 | WBC | 3.9 | K/uL",
    ),
    "a component beside its panel": (
        ("MRN,Collection Date/Time,Test Name,Component,Value,Units,Reference Interval\n"
        "P1,01/14/2026 08:12 AM,CBC With Differential,WBC,3.9,K/uL,3.4-10.8\n"),
        "P1 | 01/14/2026 08:12 AM | WBC | 3.9 | K/uL | 3.4 | 10.8",
    ),
    "white cells of a panel of the urine": (
        ("MRN,Collected,Order Name,Result Name,Result,Units\n"
        "P1,2026-03-13,Urinalysis (microscopic),WBC,5,/uL\n"),
        "P1 | 2026-03-13 | WBC (Urinalysis (microscopic)) | 5 | /uL",
    ),
    "SDTM, whose only word for the urine is its category": (
        ("USUBJID,LBDTC,LBCAT,LBTESTCD,LBTEST,LBORRES,LBORRESU\n"
        "P1,2026-03-13,URINALYSIS,WBC,Leukocytes,0.4,10^9/L\n"),
        "P1 | 2026-03-13 | Leukocytes (URINALYSIS) | 0.4 | 10^9/L",
    ),
    "a type of test that is one of the urine": (
        ("patient_id,sample_date,test_type,parameter,result,unit\n"
        "P1,2026-03-13,Urine,Leukocytes,0.4,10^9/L\n"),
        "P1 | 2026-03-13 | Leukocytes (Urine) | 0.4 | 10^9/L",
    ),
    "the ward for bone marrow transplants sends blood": (
        ("patient_id,sample_date,department,parameter,result,unit\n"
        "P1,2026-03-13,Bone Marrow Transplant Unit,WBC,0.4,10^9/L\n"),
        "P1 | 2026-03-13 | WBC | 0.4 | 10^9/L",
    ),
    "the investigation is the panel of a test": (
        ("Hospital Number,Sample Collected Date/Time,Investigation,Test,Result,Units,Range\n"
        "P1,13/03/2026 08:30,FULL BLOOD COUNT,White Cell Count,3.9,10*9/L,4.0 - 10.0\n"),
        "P1 | 13/03/2026 08:30 | White Cell Count | 3.9 | 10*9/L | 4.0 | 10.0",
    ),
    "the patient's number beside that of the person": (
        ("person_id,patient_id,lab_test_code,lab_test_date,lab_result_value,lab_result_unit\n"
        "77,P1,6690-2,2026-03-13,3.9,10*3/uL\n"),
        "P1 | 2026-03-13 | 6690-2 | 3.9 | 10*3/uL",
    ),
    "the unit of the limits is not that of the result where another column says it": (
        ("subject_id,collection_datetime,test_name_raw,result_value,result_unit_raw,reference_unit\n"
        "P1,2026-03-13,Hemoglobin,132,g/L,g/dL\n"),
        "P1 | 2026-03-13 | Hemoglobin | 132 | g/L",
    ),
    "the clock of the analysis beside its day": (
        ("Sample No.,Patient ID,Analysis Date,Analysis Time,Test,Result,Unit\n"
        "77,P1,2026/03/13,08:30:12,WBC,3.9,10^3/uL\n"),
        "P1 | 2026/03/13 08:30:12 | WBC | 3.9 | 10^3/uL",
    ),
    "the clock of the analysis is none of the collection": (
        ("Patient ID,Collection Date,Analysis Time,Test,Result,Unit\n"
        "P1,2026-03-13,16:30,WBC,3.9,10^3/uL\n"),
        "P1 | 2026-03-13 | WBC | 3.9 | 10^3/uL",
    ),
    "the day and the hour of an analyser in one column": (
        ("Patient ID,Analysis Time,Test,Result,Unit\n"
        "P1,13/03/2026 08:52,WBC,3.9,10^3/uL\n"),
        "P1 | 13/03/2026 08:52 | WBC | 3.9 | 10^3/uL",
    ),
    "indian hospitals": (
        ("UHID,Patient Name,Sample Collection Date,Test Name,Result,Unit,Bio. Ref. Interval\n"
        "P1,RAM KUMAR,13-Mar-2026 08:30 AM,Platelet Count,1.5,lakhs/cumm,1.50 - 4.50\n"),
        "P1 | 13-Mar-2026 08:30 AM | Platelet Count | 1.5 | lakhs/cumm | 1.50 | 4.50",
    ),
    "a danish register": (
        ("PATIENT_CPR;SAMPLINGDATE;SAMPLINGTIME;ANALYSISCODE;VALUE;UNIT;REFERENCEINTERVAL_LOWERLIMIT\n"
        "P1;2026-03-13;08:30;NPU02593;3,9;x 10^9/l;3,5\n"),
        "P1 | 2026-03-13 08:30 | NPU02593 | 3,9 | x 10^9/l | 3,5",
    ),
    "a form of a trial": (
        ("Subject,InstanceName,RecordDate,AnalyteName,AnalyteValue,LabUnits,LabLow,LabHigh\n"
        "P1,Week 2,13 Mar 2026,WBC,3.9,10^9/L,4,10\n"),
        "P1 | 13 Mar 2026 | WBC | 3.9 | 10^9/L | 4 | 10",
    ),
    "a central laboratory": (
        ("SUBJECT|COLLECTION DATE|TEST NAME|REPORTED RESULT|REPORTED UNITS|LOW|HIGH\n"
        "P1|13-MAR-2026|Neutrophils|3.1|GI/L|1.8|7.2\n"),
        "P1 | 13-MAR-2026 | Neutrophils | 3.1 | GI/L | 1.8 | 7.2",
    ),
    "SDTM whose day is a date of the statistics program": (
        ("USUBJID,LBDTC,LBDT,LBTEST,LBORRES,LBORRESU\nP1,2026-03-13,24178,Leukocytes,3.9,10^9/L\n"),
        "P1 | 2026-03-13 | Leukocytes | 3.9 | 10^9/L",
    ),
    "turkish hospitals": (
        ("TC Kimlik No;Numune Alma Tarihi;Tetkik Adı;Sonuç;Birim;Referans Değeri\n"
        "P1;13.03.2026 08:30;Trombosit;210;10^3/µL;150 - 400\n"),
        "P1 | 13.03.2026 08:30 | Trombosit | 210 | 10^3/µL | 150 | 400",
    ),
    "korean hospitals": (
        "환자번호,검사일자,검사명,검사결과,단위,참고치\nP1,2026-03-13,WBC,3.9,10^3/㎕,4-10\n",
        "P1 | 2026-03-13 | WBC | 3.9 | 10^3/㎕ | 4 | 10",
    ),
    "japanese hospitals, the time of the blood apart": (
        ("患者番号,採血日,採血時間,検査項目名,結果値,単位,基準値下限,基準値上限\n"
        "P1,2026/03/13,08:30,白血球数,39,10^2/μL,33,86\n"),
        "P1 | 2026/03/13 08:30 | 白血球数 | 39 | 10^2/μL | 33 | 86",
    ),
    "the day of the blood draw, in words": (
        "Record ID,Date of blood draw,Test,Result,Unit\nP1,13/03/2026,WBC,3.9,10^9/L\n",
        "P1 | 13/03/2026 | WBC | 3.9 | 10^9/L",
    ),
    "the limits of a german practice": (
        "Patient;Labordatum;Test;Wert;Einheit;Norm\nP1;13.03.2026;Leukozyten;3,9;/nl;3,9-10,2\n",
        "P1 | 13.03.2026 | Leukozyten | 3,9 | /nl | 3,9 | 10,2",
    ),
    "the variable of a table made long": (
        "patient_id,date_drawn,variable,value,units\nP1,2026-03-13,cbc_wbc,3.9,10^9/L\n",
        "P1 | 2026-03-13 | cbc_wbc | 3.9 | 10^9/L",
    ),
    "a LOINC code says its sample itself": (
        ("MRN,Collected,Order Name,LOINC,Result,Units\n"
        "P1,2026-03-13,Blood and urine,6690-2,3.9,K/uL\n"),
        "P1 | 2026-03-13 | 6690-2 | 3.9 | K/uL",
    ),
    "limits called lower and upper": (
        ("subject_id,charttime,label,value,valueuom,ref_range_lower,ref_range_upper\n"
        "P1,2026-03-13 08:30:00,White Blood Cells,3.9,K/uL,4,11\n"),
        "P1 | 2026-03-13 08:30:00 | White Blood Cells | 3.9 | K/uL | 4 | 11",
    ),
    "PCORnet, its result as text and when it was told in two columns": (
        ("PATID,LAB_LOINC,SPECIMEN_DATE,SPECIMEN_TIME,RESULT_DATE,RESULT_TIME,RESULT_NUM,RESULT_MODIFIER,"
        "RESULT_UNIT,NORM_RANGE_LOW,NORM_RANGE_HIGH,RAW_RESULT\n"
        "P1,777-3,2026-03-13,08:30,2026-03-13,09:10,10,LT,10*3/uL,150,400,<10\n"),
        "P1 | 2026-03-13 08:30 | 777-3 | <10 | 10*3/uL | 150 | 400",
    ),
    "PCORnet, its comparator in a column of its own": (
        ("PATID,LAB_LOINC,SPECIMEN_DATE,RESULT_NUM,RESULT_MODIFIER,RESULT_UNIT\n"
        "P1,777-3,2026-03-13,10,LT,10*3/uL\n"),
        "P1 | 2026-03-13 | 777-3 | <10 | 10*3/uL",
    ),
    "OMOP, the comparator as a concept, the unit by its name": (
        ("person_id,measurement_concept_id,measurement_concept_name,measurement_date,"
        "operator_concept_id,value_as_number,unit_concept_id,unit_concept_name,unit_source_value\n"
        "P1,3024929,Platelets [#/volume] in Blood,2026-03-13,4171754,10,8848,"
        "thousand per microliter,NA\n"),
        "P1 | 2026-03-13 | Platelets [#/volume] in Blood | <=10 | thousand per microliter",
    ),
    "who worked the device is no comparator": (
        "MRN,Collected,Test,Result,Units,Operator\nP1,2026-03-13,WBC,3.9,K/uL,G. Tell\n",
        "P1 | 2026-03-13 | WBC | 3.9 | K/uL",
    ),
    "a masked result beside its number": (
        ("subject_id,charttime,label,value,valuenum,valueuom\n"
        "P1,2026-03-13 08:30:00,White Blood Cells,___,3.9,K/uL\n"),
        "P1 | 2026-03-13 08:30:00 | White Blood Cells | 3.9 | K/uL",
    ),
    "limits with the other decimal mark than values": (
        ("MRN;Collected;Test;Result;Units;Range\n"
        "P1;2026-03-13;WBC;3,9;G/L;4.0 - 10.0\n"),
        "P1 | 2026-03-13 | WBC | 3,9 | G/L | 4,0 | 10,0",
    ),
    "a header that ends in a separator, and rows that do not": (
        "MRN;Collected;Test;Result;Units;\nP1;2026-03-13;WBC;3.9;G/L\n",
        "P1 | 2026-03-13 | WBC | 3.9 | G/L",
    ),
    "czech words": (
        ("Číslo pacienta;Datum odběru;Název vyšetření;Výsledek;Jednotka;Referenční meze\n"
        "P1;13.03.2026;Leukocyty;3,9;10^9/l;4,0 - 10,0\n"),
        "P1 | 13.03.2026 | Leukocyty | 3,9 | 10^9/l | 4,0 | 10,0",
    ),
    "a research network's words": (
        ("patient_id,lab_collect_dttm,lab_result_dttm,lab_name,lab_value,lab_value_numeric,reference_unit\n"
        "P1,2026-03-13 05:30,2026-03-13 06:10,WBC,<0.1,0.1,10^3/uL\n"),
        "P1 | 2026-03-13 05:30 | WBC | <0.1 | 10^3/uL",
    ),
    "British general practice": (
        ("patid\tobsdate\tmedcodeid\tterm\tvalue\tnumunit\tnumrangelow\tnumrangehigh\n"
        "P1\t13/03/2026\t77\tTotal white cell count\t3.9\t10*9/L\t4\t11\n"),
        "P1 | 13/03/2026 | Total white cell count | 3.9 | 10*9/L | 4 | 11",
    ),
    "brazilian hospitals": (
        ("ID_PACIENTE|DT_COLETA|DE_EXAME|DE_ANALITO|DE_RESULTADO|CD_UNIDADE|DE_VALOR_REFERENCIA\n"
        "P1|13/03/2026|Hemograma|Leucócitos|3,9|x10^3/µL|3,5 a 11,0\n"),
        "P1 | 13/03/2026 | Leucócitos | 3,9 | x10^3/µL | 3,5 | 11,0",
    ),
    "a polish panel and its parameter": (
        ("PESEL;Data pobrania;Badanie;Parametr;Wynik;Jednostka\n"
        "P1;13.03.2026;Morfologia;Leukocyty;3,9;tys/µl\n"),
        "P1 | 13.03.2026 | Leukocyty | 3,9 | tys/µl",
    ),
    "material of blood": (
        "mrn,collected,test,result,unit,Specimen Type\nP1,2026-03-13,WBC,3.9,K/uL,Whole Blood\n",
        "P1 | 2026-03-13 | WBC | 3.9 | K/uL",
    ),
    "urine is no blood": (
        "mrn,collected,test,result,unit,Specimen Type\nP1,2026-03-13,WBC,3.9,/uL,Urine\n",
        "P1 | 2026-03-13 | WBC (Urine) | 3.9 | /uL",
    ),
    "an order of urine is no blood": (
        "mrn,collected,Category,Panel,test,result,unit\nP1,2026-03-13,Urinalysis,UA,WBC,3.9,/uL\n",
        "P1 | 2026-03-13 | WBC (Urinalysis) | 3.9 | /uL",
    ),
    "an order of blood and urine says nothing": (
        "mrn,collected,Order Name,test,result,unit\nP1,2026-03-13,Serum/Urine,ALB,39,g/L\n",
        "P1 | 2026-03-13 | ALB | 39 | g/L",
    ),
    "a specimen of urine by its short name": (
        ("NHS Number,Sample Date,Specimen,Test Name,Result,Units\n"
        "P1,13/03/2026,MSU,White cells,>100,x10^6/L\n"),
        "P1 | 13/03/2026 | White cells (MSU) | >100 | x10^6/L",
    ),
    "the urine of a day": (
        ("mrn,Sample Date,Specimen,Test Name,Result,Units\n"
        "P1,2026-03-13,24 hr urine,Creatinine,8.2,mmol/L\n"),
        "P1 | 2026-03-13 | Creatinine (24 hr urine) | 8.2 | mmol/L",
    ),
    "blood in the words of a laboratory": (
        ("mrn,collected,Specimen Type,test,result,unit\n"
        "P1,2026-03-13,Blood - EDTA (purple),WBC,3.9,K/uL\n"),
        "P1 | 2026-03-13 | WBC | 3.9 | K/uL",
    ),
    "a program's own number beside that of the hospital": (
        ("PAT_ID,PAT_MRN_ID,SPECIMN_TAKEN_TIME,COMPONENT_NAME,ORD_VALUE,REFERENCE_UNIT\n"
        "Z1,P1,03/13/2026 08:15:00,WBC,3.9,K/uL\n"),
        "P1 | 03/13/2026 08:15:00 | WBC | 3.9 | K/uL",
    ),
    "events of a hospital's system": (
        ("PERSON_ID,MRN,EVENT_CD,EVENT_DISPLAY,EVENT_END_DT_TM,RESULT_VAL,RESULT_UNITS,NORMAL_LOW\n"
        "77,P1,123,WBC,2026-03-13 08:15,3.9,K/uL,4.0\n"),
        "P1 | 2026-03-13 08:15 | WBC | 3.9 | K/uL | 4.0",
    ),
    "the name of the laboratory beside that of the test": (
        "mrn,collected,lab_name,test_name,test_value,unit\nP1,2026-03-13,North Lab,WBC,3.9,K/uL\n",
        "P1 | 2026-03-13 | WBC | 3.9 | K/uL",
    ),
    "an unknown LOINC code is never read by its name": (
        "mrn,loinc,test,collected,value,unit\nP1,5821-4,WBC,2026-03-13,3.9,/uL\n",
        "P1 | 2026-03-13 | 5821-4 | 3.9 | /uL",
    ),
    "one patient's report": (
        ("Laboratory North\nPatient ID: P1\nDate of collection;13.03.2026\n\n"
        "Test;Result;Unit;Reference range\nWBC;3.9;K/uL;< 11\n"),
        "P1 | 13.03.2026 | WBC | 3.9 | K/uL |  | 11",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "is_no_blood"),
    [
        ("Urinstatus", True),
        ("Pleuravocht in EDTA buis", True),
        ("Lumbaal vocht", True),
        ("WBC, ascites", True),
        ("Białko w moczu", True),
        ("Líquido pleural", True),
        ("尿沉渣", True),
        ("U-Leukocyter", True),
        ("Albumin i. U.", True),
        ("Serum (gel)", False),
        ("EDTA", False),
        ("Serum/Urine", False),
        ("CBC + Urinalysis", False),
        ("CBC, body fluid", True),
        ("Urine chemistry", True),
        ("Mocznik", False),
        ("Močovina", False),
        ("Harnstoff", False),
        ("尿素", False),
        ("Uric acid", False),
        ("BF", True),
        ("FBC + BF", False),
        ("WB", False),
        ("Bone Marrow Transplant Unit", True),
        ("Tissue transglutaminase IgA", False),
        ("Tissue", True),
        ("Fluid balance", False),
        ("Fluid balance, pleural", True),
        ("G-CSF monitoring", False),
        ("IgG CSF", True),
    ],
)
def test_what_is_called_no_blood(name: str, is_no_blood: bool) -> None:
    assert vocabulary().is_of_no_blood(name) == is_no_blood


def test_the_codes_of_other_materials_are_codes_and_none_of_ours(catalogue: Catalogue) -> None:
    codes = vocabulary().loinc_of_no_blood
    assert [code for code in codes if not is_loinc(code) or catalogue.find(code)] == []


def test_no_name_of_the_catalogue_is_one_of_no_blood(catalogue: Catalogue) -> None:
    names = [
        it for analyte in catalogue.analytes.values() for it in (analyte.title, *analyte.names)
    ]
    assert [name for name in names if vocabulary().is_of_no_blood(name)] == []
    assert [name for name in names if vocabulary().is_not_of_now(name)] == []


@pytest.mark.parametrize("column", ["Fluid Type", "Source", "Body Site", "Sample Source"])
def test_where_a_specimen_came_from_tells_the_blood_from_the_rest(
    opened: Open, column: str
) -> None:
    header = f"MRN,Collected,Test,Result,Units,{column}"
    kinds = "CSF", "Pleural fluid", "Blood", "Lavender EDTA tube"
    lines = [f"P1,2026-03-13,WBC,0.3,K/uL,{kind}" for kind in kinds]
    rows, _, _ = opened("\n".join([header, *lines]))
    assert [row.analyte for row in rows] == ["WBC (CSF)", "WBC (Pleural fluid)", "WBC", "WBC"]


@pytest.mark.parametrize(
    "tube", ["WB", "Lav", "LAVENDER", "SST", "Gold Top", "PST", "Li-Hep", "Venepuncture"]
)
def test_a_tube_of_blood_is_blood(tube: str) -> None:
    assert vocabulary().is_blood_material(tube)
    assert not vocabulary().is_of_no_blood(tube)


def test_a_tube_says_nothing_of_a_fluid_in_it() -> None:
    assert vocabulary().is_of_no_blood("Pleural fluid, lavender top")
    assert vocabulary().is_of_no_blood("CSF (SST)")


@pytest.mark.parametrize(
    ("cells", "analyte"),
    [
        ("Urinstatus,6690-2,Leukozyten,25", "6690-2 (Urinstatus)"),
        ("Creatinine clearance urine,2160-0,Creatinine in serum,80", "2160-0"),
        ("CSF cell count,5821-4,Leukocytes,25", "5821-4"),
        (",26464-8,Leukocytes in CSF,2", "26464-8 (Leukocytes in CSF)"),
        (",WBC,WBC body fluid,35", "WBC (WBC body fluid)"),
        (",WBC,WBC previous,3.5", "WBC (WBC previous)"),
        (",WBC,WBC in blood after bone marrow,3.2", "WBC in blood after bone marrow"),
    ],
)
def test_a_code_of_the_blood_does_not_make_blood_of_another_material(
    opened: Open, cells: str, analyte: str
) -> None:
    header = "MRN,Collected,Order Name,Code,Test,Result,Units"
    (row,), _, _ = opened(f"{header}\nP1,2026-03-13,{cells},/uL\n")
    assert row.analyte == analyte


@pytest.mark.parametrize(("text", "row"), LONG_FORMS.values(), ids=list(LONG_FORMS))
def test_a_long_form_of_any_country(opened: Open, text: str, row: str) -> None:
    rows, bad, _ = opened(text)
    assert (shown(rows), bad) == ([row], [])


WIDE_FORMS = {
    "units in brackets": "mrn,date,WBC (10^9/L),PLT [10^9/L]\nP1,2026-03-13,3.9,150\n",
    "units behind a comma": 'mrn,date,"WBC, 10^9/L","PLT, 10^9/L"\nP1,2026-03-13,3.9,150\n',
    "units behind underscores": "ID,date,WBC_10^9_per_L,PLT_10^9_per_L\nP1,2026-03-13,3.9,150\n",
    "units in columns": (
        "mrn,date,WBC,WBC unit,PLT,PLT unit,PLT flag\nP1,2026-03-13,3.9,10^9/L,150,10^9/L,N\n"
    ),
}


@pytest.mark.parametrize(
    ("title", "name", "unit"),
    [
        ("Alkaline phosphatase (ALP) (μkat/L)", "Alkaline phosphatase (ALP)", "μkat/L"),
        ("Neutrophils (Absolute) (10^9/L)", "Neutrophils (Absolute)", "10^9/L"),
        ("WBC (10^(3)/uL)", "WBC", "10^(3)/uL"),
        ("WBC (10^3)/uL)", "WBC", "10^3)/uL"),
        ("ALT (SGPT) [U/L]", "ALT (SGPT)", "U/L"),
        ("(%)lymphocyte", "(%)lymphocyte", "%"),
        ("ast_u_l", "ast", "u/l"),
        ("anc_cells_ul", "anc", "cells/ul"),
        ("bili_umol_l", "bili", "umol/l"),
        ("WBC..10.3.uL.", "WBC", "10^3/uL"),
        ("PLT..x10.9.L.", "PLT", "10^9/L"),
        ("Total.Bilirubin..umol.L.", "Total.Bilirubin", "umol/L"),
        ("Hb.g.dL", "Hb", "g/dL"),
        ("WBC.10.9.L", "WBC", "10^9/L"),
    ],
)
def test_name_and_unit_of_a_title(catalogue: Catalogue, title: str, name: str, unit: str) -> None:
    known = known_of(Source(), catalogue)
    assert split_unit(title, known) == (name, unit)
    assert known.unit(name, unit)


@pytest.mark.parametrize(
    ("title", "unit"),
    [("alt_ul", "ul"), ("PLT.103uL", "103uL"), ("egfr_ml_min_1_73m2", "ml_min_1_73m2")],
)
def test_a_column_of_an_analyte_whose_unit_lost_its_signs_is_one_in_doubt(
    catalogue: Catalogue, title: str, unit: str
) -> None:
    """Passed over, its values would be lost without a word; the unit of its rows is asked for."""
    known = known_of(Source(), catalogue)
    name, found = split_unit(title, known)
    assert known.analyte(name)
    assert found == unit


@pytest.mark.parametrize(
    "title", ["hemoglobin_a1c", "albumin_creatinine_ratio", "platelet_function", "alt_flag"]
)
def test_other_words_behind_a_name_make_no_column_of_it(catalogue: Catalogue, title: str) -> None:
    known = known_of(Source(), catalogue)
    assert split_unit(title, known) == (title, "")


def test_the_code_of_ten_per_microlitre_is_left_in_doubt(catalogue: Catalogue) -> None:
    """Some analysers mean it; elsewhere it is 10³/µL that lost its height."""
    assert not known_of(Source(), catalogue).unit(*split_unit("WBC(10/uL)"))


def test_the_encoding_of_an_analyser_is_told_by_its_units_alone(opened: Open) -> None:
    text = "mrn,date,WBC(10^3/μL),PLT(10^3/μL)\nP1,2026-03-13,3.9,150\n"
    rows, _, notes = opened(text.encode("gb18030"))
    assert [row.unit for row in rows] == ["10^3/μL", "10^3/μL"]
    assert any("GB 18030" in note for note in notes)
    rows, _, notes = opened(text.replace("μ", "µ").encode("cp1252"))
    assert [row.unit for row in rows] == ["10^3/µL", "10^3/µL"]
    assert any("Windows-1252" in note for note in notes)


def test_units_in_a_column_tell_the_encoding_too(opened: Open) -> None:
    text = "mrn,date,test,result,unit\nP1,2026-03-13,Bilirubin,12,μmol/L\n"
    (row,), _, _ = opened(text.encode("gb18030"))
    assert row.unit == "μmol/L"


def test_what_an_analyser_counted_as_a_body_fluid_is_no_blood(opened: Open) -> None:
    header = "Sample No.,Patient ID,Date,Time,Measurement Mode,WBC(10^3/uL),PMN#(10^3/uL)"
    rows, _, _ = opened(
        f"{header}\n1,P1,2026/03/13,08:30:12,WB,3.9,----\n2,P1,2026/03/13,09:30:12,BF,----,0.09\n"
    )
    assert [(row.analyte, row.value) for row in rows] == [("WBC", "3.9"), ("PMN# (BF)", "0.09")]


def test_an_analyser_writes_dashes_where_it_did_not_measure(opened: Open) -> None:
    rows, _, _ = opened("mrn,date,WBC (10^9/L),PLT (10^9/L)\nP1,2026-03-13,----,150\n")
    assert [(row.analyte, row.value) for row in rows] == [("PLT", "150")]


def test_a_unit_of_the_limits_is_said_to_be_one(opened: Open) -> None:
    text = "mrn,collected,test,result,reference_unit\nP1,2026-03-13,WBC,3.9,K/uL\n"
    (row,), _, notes = opened(text)
    assert row.unit == "K/uL"
    assert 'unit is read from "reference_unit", the nearest there is' in notes


@pytest.mark.parametrize(
    ("limits", "low", "high"),
    [
        ("0.17 - 0.67 ukat/L", "", ""),
        ("10 - 40 IU/L", "10", "40"),
        ("10 - 40 (adults)", "10", "40"),
    ],
)
def test_limits_in_another_unit_than_the_value_are_none_of_it(
    opened: Open, limits: str, low: str, high: str
) -> None:
    """An ALT of 45 U/L is not 67 times the upper limit."""
    text = f"mrn,collected,test,result,unit,reference range\nP1,2026-03-13,ALT,45,U/L,{limits}\n"
    (row,), _, _ = opened(text)
    assert (row.unit, row.ref_low, row.ref_high) == ("U/L", low, high)


def test_limits_of_the_standard_value_are_none_of_the_reported_one(opened: Open) -> None:
    """21 umol/L is the upper limit of bilirubin, and no 21 mg/dL."""
    text = "USUBJID,LBTESTCD,{value},{unit},LBSTNRLO,LBSTNRHI,LBDTC\n"
    text += "P1,BILI,0.6,mg/dL,3,21,2026-03-13\n"
    (row,), _, notes = opened(text.format(value="LBORRES", unit="LBORRESU"))
    assert (row.ref_low, row.ref_high) == ("", "")
    assert "columns not used: LBSTNRLO, LBSTNRHI" in notes
    (row,), _, _ = opened(text.format(value="LBSTRESN", unit="LBSTRESU"))
    assert (row.ref_low, row.ref_high) == ("3", "21")


def test_no_standard_unit_is_that_of_the_reported_value(opened: Open) -> None:
    """13.1 g/dL beside 8.1 mmol/L are no 13.1 mmol/L."""
    text = "USUBJID,LBTESTCD,LBORRES,LBSTRESN,LBSTRESU,LBDTC\nP1,HGB,13.1,8.1,mmol/L,2026-03-13\n"
    with pytest.raises(UnreadableFile, match="lacks unit"):
        opened(text)
    (row,), _, _ = opened(text, columns={"value": "LBSTRESN"})
    assert (row.value, row.unit) == ("8.1", "mmol/L")


def test_a_column_that_the_source_names_is_no_other_one(opened: Open) -> None:
    """`result_time` is when it was reported, but for a source that says otherwise."""
    columns = {"collected_at": "result_date", "collected_time": "result_time"}
    text = "mrn,test,result,unit,result_date,result_time\nP1,WBC,3.9,K/uL,2026-03-13,05:26\n"
    (row,), _, _ = opened(text, columns=columns)
    assert (row.collected_at, row.reported_at) == ("2026-03-13 05:26", "")


@pytest.mark.parametrize(
    "value",
    [
        "35 High", "35 (HIGH)", "High 35", "↑35", "35 Normal", "35 low", "CRITICAL 35",
        "35 +", "35 ++", "35 -", "35 --",
    ],
)  # fmt: skip
def test_a_flag_beside_a_number_is_no_part_of_it(catalogue: Catalogue, value: str) -> None:
    measured = Measures(catalogue, Source()).measure("ALT", value, "U/L", "")
    assert isinstance(measured, Measure)
    assert measured.value == 35


@pytest.mark.parametrize("value", ["35+", "35-", "35 - 40", "35-40", "35*", "- 35", "35 -+"])
def test_what_may_be_more_than_a_flag_is_no_number(catalogue: Catalogue, value: str) -> None:
    assert not isinstance(Measures(catalogue, Source()).measure("ALT", value, "U/L", ""), Measure)


@pytest.mark.parametrize(
    ("value", "amount"),
    [("13.1 g/dL", 131), ("13.1 g/dL L", 131), ("13.1 g/dL (H)", 131), ("13.1 g/dL ↓", 131)],
)
def test_a_flag_behind_a_unit_in_the_cell_is_none_of_it(
    catalogue: Catalogue, value: str, amount: int
) -> None:
    measured = Measures(catalogue, Source()).measure("Hb", value, "", "")
    assert isinstance(measured, Measure)
    assert measured.value == amount


@pytest.mark.parametrize("value", ["13.1 L", "13.1 g/dL X", "13.1 H"])
def test_a_letter_alone_behind_a_number_is_no_unit(catalogue: Catalogue, value: str) -> None:
    assert isinstance(Measures(catalogue, Source()).measure("Hb", value, "", ""), Problem)


FLAGGED = "mrn,collected,test,result,unit,Status\nP1,2026-03-13,WBC,3.9,K/uL,N\n"


def test_a_column_of_flags_is_none_of_statuses(opened: Open) -> None:
    """`N` is how HL7 says that nobody asked for a result: normal values were let go."""
    rows, _, notes = opened(f"{FLAGGED}P1,2026-03-13,PLT,90,K/uL,L\nP1,2026-03-13,ALT,9,U/L,A\n")
    assert [row.status for row in rows] == ["", "", ""]
    assert any('"Status" holds flags such as L (line 3)' in note for note in notes)


def test_a_status_among_the_flags_keeps_the_column_one_of_statuses(opened: Open) -> None:
    rows, _, _ = opened(f"{FLAGGED}P1,2026-03-13,PLT,90,K/uL,L\nP1,2026-03-13,ALT,9,U/L,F\n")
    assert [row.status for row in rows] == ["N", "L", "F"]
    rows, _, _ = opened(FLAGGED)
    assert [row.status for row in rows] == ["N"]


def test_a_day_and_its_clock_may_be_all_that_a_source_names(opened: Open) -> None:
    columns = {"collected_day": "Tag der Messung", "collected_time": "Uhr"}
    text = "mrn,Tag der Messung,Uhr,test,result,unit\nP1,2026-03-13,08:30,WBC,3.9,K/uL\n"
    (row,), _, _ = opened(text, columns=columns)
    assert row.collected_at == "2026-03-13 08:30"


@pytest.mark.parametrize("text", WIDE_FORMS.values(), ids=list(WIDE_FORMS))
def test_the_wide_form_with_its_units(opened: Open, text: str) -> None:
    rows, _, _ = opened(text)
    assert [(it.mrn, it.analyte, it.value) for it in rows] == [
        ("P1", "WBC", "3.9"),
        ("P1", "PLT", "150"),
    ]
    assert {it.unit.replace("_", " ").replace(" per ", "/") for it in rows} == {"10^9/L"}


def test_what_stands_around_the_table_is_no_row_and_is_said(opened: Open) -> None:
    rows, bad, notes = opened(
        "Laboratory North\nPrinted 14.03.2026\n\nmrn,collected,test,result,unit\n"
        "P1,2026-03-13,WBC,3.9,K/uL\nP1,2026-03-13,PLT,150,K/uL\n\n"
        "Total: 2 results\n*** end of report ***\n"
    )
    assert (len(rows), bad) == (2, [])
    assert "the header is line 4; lines 1 to 2 above it: no rows" in notes
    assert "lines 8 to 9 below the rows: no rows" in notes


def test_what_is_reckoned_of_all_rows_below_a_wide_table_is_no_row(opened: Open) -> None:
    header = "mrn,collected,WBC [K/uL],PLT [K/uL],ALT [U/L],AST [U/L]\n"
    row = "P1,2026-03-13,3.9,150,31,28\n"
    rows, _, notes = opened(f"{header}{row}Mean,,3.9,150,31,28\nSD,,0,0,0,0\n")
    assert {it.mrn for it in rows} == {"P1"}
    assert "lines 3 to 4 below the rows: no rows" in notes
    rows, _, _ = opened(f"{header}{row}Mean,2026-03-13,3.9,150,31,28\n")
    assert {it.mrn for it in rows} == {"P1", "Mean"}


@pytest.mark.parametrize("cut", ["P1", "P1,2026-03-13", '"P1,2026-03-13,WBC,3.9'])
def test_a_row_cut_short_at_the_end_is_no_footer(opened: Open, cut: str) -> None:
    _, bad, _ = opened(f"mrn,collected,test,result,unit\nP1,2026-03-13,WBC,3.9,K/uL\n{cut}")
    assert [it.line for it in bad] == [3]


def test_a_footer_amid_the_rows_is_a_row(opened: Open) -> None:
    good = "P1,2026-03-13,WBC,3.9,K/uL\n"
    _, bad, _ = opened(f"mrn,collected,test,result,unit\n{good}Page 1 of 2\n{good}")
    assert [it.line for it in bad] == [3]


DATES = [
    (["13/02/2026", "03/04/2026"], "day_first", "line 2 can be read no other way"),
    (["03/04/2026", "02/13/2026"], "month_first", "line 3 can be read no other way"),
    (["03/04/2026", "05/06/2026"], "either", "no date settles the order of day and month"),
    (["03.04.2026", "5.6.2026 07:30"], "day_first", "with dots, as in line 2, the day comes first"),
    (["03.04.2026", "02.13.2026"], "month_first", "line 3 can be read no other way"),
    (["03.04.2026", "05/06/2026"], "either", "no date settles the order of day and month"),
    (["03.04.2026", "13/02/2026", "02/13/2026"], "either", "dates that can be read both ways"),
    (["03.04.26 08:00", "5.6.26"], "day_first", "with dots, as in line 2, the day comes first"),
    (["26.02.04", "26.03.02", "26.04.02"], "open_years", "may stand first or last (line 2)"),
    (["13/02/2026", "02/13/2026"], "either", "line 2 is day first and line 3 is month first"),
    (["2026-02-13", "13 Feb 2026"], "either", ""),
    (["26/02/13", "26/03/02", "26/03/02"], "open_years", "may stand first or last (line 2)"),
    (["26/02/13"], "open_years", "may stand first or last (line 2)"),
    (["61/02/13", "13/02/26"], "open_years", "may stand first or last (line 2)"),
    (["13/02/26"], "day_first", "line 2 can be read no other way"),
    (["26/02/24", "27/02/24", "02/03/24"], "day_first", "line 2 can be read no other way"),
    (["26/02/13", "26/03/02", "8/3/26"], "day_first", "line 2 can be read no other way"),
    (["02/13/26", "03/02/26"], "month_first", "line 2 can be read no other way"),
    (["02/13/26", "26-01-25", "26-04-15"], "open_years", "may stand first or last (line 3)"),
]


@pytest.mark.parametrize(("dates", "order", "said"), DATES)
def test_the_whole_column_settles_the_order_of_day_and_month(
    opened: Open, dates: list[str], order: str, said: str
) -> None:
    lines = "".join(f"P1,{day},WBC,3,K/uL\n" for day in dates)
    rows, _, notes = opened(f"mrn,collected,test,result,unit\n{lines}")
    assert {row.dates for row in rows} == {order}
    assert any(said in note for note in notes)


MARKS = [
    (["3,9", "12"], "comma"),
    (["3.9", "1,250"], "point"),
    (["1.234,5"], "comma"),
    (["3,9", "3.9"], ""),
    (["1,250", "7,100"], ""),
    (["4", "haemolysed"], ""),
]


@pytest.mark.parametrize(("values", "mark"), MARKS)
def test_the_whole_column_settles_the_decimal_mark(
    opened: Open, values: list[str], mark: str
) -> None:
    lines = "".join(f"P1;2026-03-13;WBC;{value};K/uL\n" for value in values)
    rows, _, _ = opened(f"mrn;collected;test;result;unit\n{lines}")
    assert {row.decimal for row in rows} == {mark}


def test_a_day_stands_in_where_a_database_wrote_null_for_the_instant(opened: Open) -> None:
    rows, _, _ = opened(
        "person_id,measurement_date,measurement_datetime,test,result,unit,status\n"
        "P1,2026-03-13,NULL,NA,NULL,mmol/L,NULL\n"
    )
    assert [(it.collected_at, it.analyte, it.value, it.status) for it in rows] == [
        ("2026-03-13", "NA", "NULL", "")
    ]


def test_a_source_says_what_the_file_leaves_open(opened: Open) -> None:
    rows, _, _ = opened(
        "ID,day,ANC\n7,31.5,0.9\n",
        columns={"collected_at": "day"},
        date_format="days",
        day_zero="2026-01-05",
    )
    assert shown(rows) == ["7 | 2026-02-05T12:00 | ANC | 0.9"]


def test_floats_for_patient_numbers_are_told_and_taken_away_where_the_source_says_so(
    opened: Open,
) -> None:
    text = "SEQN,collected,test,result,unit\n93704.0,2026-03-13,WBC,3.9,K/uL\n"
    rows, _, notes = opened(text)
    assert rows[0].mrn == "93704.0"
    assert any("whole_numbers" in note for note in notes)
    rows, _, notes = opened(text, whole_numbers=True)
    assert rows[0].mrn == "93704"
    assert not any("whole_numbers" in note for note in notes)


def test_a_column_that_misleads_is_put_out_of_use(opened: Open) -> None:
    rows, _, _ = opened("mrn,date,WBC [K/uL],status\nP1,2026-03-13,3.9,2\n", columns={"status": ""})
    assert rows[0].status == ""


def test_a_long_form_without_any_unit_is_refused_and_units_in_cells_will_do(opened: Open) -> None:
    header = "mrn,collected,test,result\n"
    with pytest.raises(UnreadableFile, match="lacks unit"):
        opened(f"{header}P1,2026-03-13,WBC,3.9\n")
    rows, _, _ = opened(f"{header}P1,2026-03-13,WBC,3.9 K/uL\n")
    assert len(rows) == 1


def test_every_word_of_the_header_means_one_column() -> None:
    meaning: dict[str, set[str]] = {}
    for name, words in vocabulary().columns.items():
        for tier in words.tiers:
            for key in tier:
                meaning.setdefault(key, set()).add(name)
    assert {key: names for key, names in meaning.items() if len(names) > 1} == {}


# ------------------------------------------------------------------ workbooks


@pytest.fixture
def workbook(tmp_path: Path) -> Callable[..., Path]:
    """A workbook with these rows on its sheets."""

    def make(*, hidden: str = "", **sheets: list[list[object]]) -> Path:
        book = openpyxl.Workbook()
        book.remove(book.active)
        for title, rows in sheets.items():
            sheet = book.create_sheet(title)
            for row in rows:
                sheet.append(row)
            if title == hidden:
                sheet.sheet_state = "hidden"
        path = tmp_path / "labs.xlsx"
        book.save(path)
        return path

    return make


HEADER = ["MRN", "Datum", "Test", "Wert", "Einheit"]


def test_a_workbook_with_a_title_dates_as_numbers_and_numbers_as_text(
    opened: Open, workbook: Callable[..., Path]
) -> None:
    path = workbook(
        Labor=[
            ["Labor Nord"],
            [],
            HEADER,
            [10023, datetime(2026, 3, 13, 8, 30), "WBC", 3.9, "K/uL"],
            ["00123", date(2026, 3, 13), "PLT", "150", "K/uL"],
            ["P3", 46094.5, "ALT", "<5,5", "U/L"],
        ],
        Legende=[["H", "hoch"]],
        Alt=[HEADER, ["P4", date(2020, 1, 1), "ALT", 1, "U/L"]],
        hidden="Alt",
    )
    rows, bad, notes = opened(path)
    assert bad == []
    assert shown(rows) == [
        "10023 | 2026-03-13T08:30 | WBC | 3.9 | K/uL",
        "00123 | 2026-03-13 | PLT | 150 | K/uL",
        "P3 | 2026-03-13T12:00:00 | ALT | <5.5 | U/L",
    ]
    assert {(row.line, row.place) for row in rows} == {(n, 'sheet "Labor"') for n in (4, 5, 6)}
    assert any('"Alt" is hidden' in note for note in notes)
    assert any('"Legende" has no header' in note for note in notes)


def test_every_sheet_of_results_is_read(opened: Open, workbook: Callable[..., Path]) -> None:
    row = ["P1", "2026-03-13", "WBC", 3.9, "K/uL"]
    path = workbook(Montag=[HEADER, row], Dienstag=[HEADER, row, row])
    rows, _, _ = opened(path)
    assert [it.place for it in rows] == ['sheet "Montag"', *['sheet "Dienstag"'] * 2]


def test_the_rows_of_a_sheet_that_cannot_be_read_are_held(
    opened: Open, workbook: Callable[..., Path]
) -> None:
    """Its values are of somebody; a legend has none."""
    path = workbook(
        Labor=[HEADER, ["P1", "2026-03-13", "WBC", 3.9, "K/uL"], ["Ende der Liste"]],
        Rest=[["Test", "Wert", "Einheit"], ["PLT", 90, "K/uL"], ["ALT", 30, "U/L"]],
        Breit=[["Datum", "WBC [K/uL]", "PLT [K/uL]"], ["2026-03-13", 3.1, 90]],
        Legende=[["Test", "Einheit", "Normbereich"], ["PLT", "K/uL", "150-400"]],
    )
    rows, bad, notes = opened(path)
    assert shown(rows) == ["P1 | 2026-03-13 | WBC | 3.9 | K/uL"]
    assert [(it.place, it.line, it.code) for it in bad] == [
        ('sheet "Rest"', 2, "no_header"),
        ('sheet "Rest"', 3, "no_header"),
        ('sheet "Breit"', 2, "no_header"),
    ]
    assert sum("not read" in note for note in notes) == 3


def test_a_workbook_that_claims_a_billion_cells_is_refused(opened: Open, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active["A1"] = "mrn"
    book.active["XFD1048576"] = "x"
    book.save(tmp_path / "huge.xlsx")
    with pytest.raises(UnreadableFile, match="spans 1,048,576 rows and 16,384 columns"):
        opened(tmp_path / "huge.xlsx")


def test_a_nul_in_a_cell_stays_visible(opened: Open, workbook: Callable[..., Path]) -> None:
    path = workbook(Labor=[HEADER, ["P1", "2026-03-13", "WBC", "3.9", "K/uL"]])
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as written:
        for name, content in contents.items():
            written.writestr(name, content.replace(b">WBC<", b">W\0BC<"))
    (row,), _, _ = opened(path)
    assert row.analyte == "W\u2400BC"


@pytest.mark.parametrize(
    "far",
    [
        b'r="H99999997"',
        b"r='XFD1048576'",
        b'r = "XFD1048576"',
        b'r="xfd1048576"',
        b'\nr="XFD1048576"',
    ],
)
@pytest.mark.parametrize("name", ["xl/worksheets/sheet1.xml", "xl/another/place"])
def test_a_cell_far_away_is_seen_however_it_is_written(
    opened: Open, tmp_path: Path, far: bytes, name: str
) -> None:
    """The library would ask for memory that no machine has, and end the process."""
    book = openpyxl.Workbook()
    book.active["A1"] = "mrn"
    book.active["B2"] = "x"
    book.save(tmp_path / "near.xlsx")
    with (
        zipfile.ZipFile(tmp_path / "near.xlsx") as near,
        zipfile.ZipFile(tmp_path / "far.xlsx", "w") as written,
    ):
        for entry in near.namelist():
            content = near.read(entry).replace(b"/xl/worksheets/sheet1.xml", b"/" + name.encode())
            if entry == "xl/worksheets/sheet1.xml":
                assert b'<c r="B2"' in content
                content = content.replace(b'<c r="B2"', b"<c " + far)
                entry = name
            written.writestr(entry, content)
    with pytest.raises(UnreadableFile, match="spans .* rows and|damaged"):
        opened(tmp_path / "far.xlsx")


def test_a_cell_that_stands_far_from_the_table_is_named(
    opened: Open, workbook: Callable[..., Path]
) -> None:
    path = workbook(Labor=[HEADER, ["P1", date(2026, 3, 13), "WBC", 3.2, "G/l"]])
    book = openpyxl.load_workbook(path)
    book.worksheets[0]["C900000"], book.worksheets[0]["XY7"] = "x", "y"
    book.save(path)
    what = '900,000 rows and 649 columns, up to "C900000" and "XY7": delete what stands far'
    with pytest.raises(UnreadableFile, match=what):
        opened(path)


@pytest.mark.parametrize(
    ("place", "what"),
    [
        (b"\xff\xff\x00\xff", "damaged"),
        (b"\xff\xff\xff\xff", "damaged"),
        (b"\xff\xff\xc8\x00", "spans 65,536 rows and 201 columns"),
    ],
)
def test_a_damaged_cell_of_an_old_workbook_does_not_end_the_process(
    opened: Open, place: bytes, what: str
) -> None:
    content = (WORKBOOKS / "labor.xls").read_bytes()
    text_cell = b"\xfd\x00\x0a\x00"
    at = content.index(text_cell) + len(text_cell)
    with pytest.raises(UnreadableFile, match=what):
        opened(content[:at] + place + content[at + len(place) :])


def test_a_damaged_old_workbook_writes_nothing_to_the_terminal(
    opened: Open, capfd: pytest.CaptureFixture[str]
) -> None:
    """The library tells of its own fault there, with a page of addresses."""
    content = (WORKBOOKS / "labor.xls").read_bytes()
    with pytest.raises(UnreadableFile, match="damaged"):
        opened(content[:4600])
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"PK\x03\x04cut", "cut short"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "damaged"),
    ],
)
def test_a_broken_workbook_is_said_to_be_one(opened: Open, content: bytes, what: str) -> None:
    with pytest.raises(UnreadableFile, match=what):
        opened(content)


SOME_DAYS = [date(2026, 2, 3), "13/03/2026", date(2026, 5, 3), date(2026, 4, 4), "27/03/2026"]


@pytest.mark.parametrize(
    ("days", "date_format", "order"),
    [
        (SOME_DAYS, "", "perhaps_swapped"),
        ([*SOME_DAYS, date(2026, 3, 14)], "", "day_first"),
        (SOME_DAYS, "day_first", "day_first"),
        ([date(2026, 2, 3), "3 March 2026", date(2026, 5, 3)], "", "either"),
        ([date(2026, 4, 4), "13/03/2026"], "", "day_first"),
        ([date(2026, 2, 3), "13/03/2026", "04/03/2026"], "", "day_first"),
        ([date(2026, 2, 3), "13.03.2026"], "", "day_first"),
    ],
)
def test_days_that_a_spreadsheet_program_may_have_taken_for_months(
    opened: Open,
    workbook: Callable[..., Path],
    days: list[object],
    date_format: str,
    order: str,
) -> None:
    """Who opens 02/03/2026 and 13/03/2026 in an American Excel gets 3 February and a text."""
    path = workbook(Labor=[HEADER, *(["P1", day, "WBC", 3.2, "K/uL"] for day in days)])
    rows, _, notes = opened(path, **({"date_format": date_format} if date_format else {}))
    assert {row.dates for row in rows} == {order}
    may_be_wrong = order == "perhaps_swapped"
    assert any("taken days for months" in note for note in notes) is may_be_wrong


@pytest.mark.parametrize(
    ("clock", "at"),
    [
        (0.25, "2026-03-02 06:00:00"),
        (0.34027777777777773, "2026-03-02 08:10:00"),
        (time(8, 10), "2026-03-02 08:10"),
        ("8.10", "2026-03-02 8.10"),
    ],
)
def test_a_time_as_part_of_a_day_in_a_workbook(
    opened: Open, workbook: Callable[..., Path], clock: object, at: str
) -> None:
    header = ["MRN", "Abnahmedatum", "Uhrzeit", *HEADER[2:]]
    path = workbook(Labor=[header, ["P1", date(2026, 3, 2), clock, "WBC", 3.2, "K/uL"]])
    rows, _, _ = opened(path)
    assert [it.collected_at for it in rows] == [at]


def test_a_birth_date_as_text_says_nothing_of_real_dates_of_collection(
    opened: Open, workbook: Callable[..., Path]
) -> None:
    row = ["P1", "13.03.1961", date(2026, 3, 2), "WBC", 3.2, "K/uL"]
    rows, _, _ = opened(workbook(Labor=[["MRN", "DOB", "Abnahme", *HEADER[2:]], row]))
    assert [(row.collected_at, row.dates) for row in rows] == [("2026-03-02", "day_first")]


def styled(path: Path, formats: dict[str, str]) -> Path:
    """The same workbook, with these formats of the cells of its first sheet."""
    book = openpyxl.load_workbook(path)
    for place, kind in formats.items():
        book.worksheets[0][place].number_format = kind
    book.save(path)
    return path


def test_a_number_that_is_shown_in_percent_is_what_is_shown(
    opened: Open, workbook: Callable[..., Path]
) -> None:
    """Who types 45% into Excel leaves 0.45 in the file."""
    values = (0.235, 0.07, 45, 45, "0.5%", 0.22, 3)
    path = workbook(Labor=[HEADER, *(["P1", "2026-03-13", "Neut", it, "%"] for it in values)])
    formats = {"D2": "0.0%", "D3": "0%", "D4": '0.0"%"', "D6": "0%", "D7": '0.00" "%;[Red]0%'}
    rows, _, _ = opened(styled(path, formats))
    assert [row.value for row in rows] == ["23.5%", "7%", "45", "45", "0.5%", "22%", "3"]


def test_a_sheet_of_another_material_holds_nothing_of_the_blood(
    opened: Open, workbook: Callable[..., Path]
) -> None:
    rows = [HEADER, ["P1", "2026-03-13", "Leukozyten", 25, "/ul"]]
    found, _, _ = opened(workbook(Blut=rows, Urin=rows))
    assert [row.analyte for row in found] == ["Leukozyten", "Leukozyten (Urin)"]


def test_a_number_or_a_day_merged_over_rows_is_that_of_each(
    opened: Open, workbook: Callable[..., Path]
) -> None:
    rows: list[list[object]] = [
        [None, *HEADER],
        [None, "P1", date(2026, 3, 13), "Leukozyten", 3.2, "G/l"],
        [None, None, None, "Thrombozyten", 130, "G/l"],
        [],
        [None, None, None, "ALT", None, "U/l"],
        [None, "P2", date(2026, 3, 14), "Leukozyten", 5.1, "G/l"],
        [None, None, date(2026, 3, 15), "Leukozyten", 5.2, "G/l"],
        [None, None, None, "Thrombozyten", 230, "G/l"],
    ]
    path = workbook(Labor=rows)
    book = openpyxl.load_workbook(path)
    for cells in ("B2:B5", "C2:C5", "E2:E3", "B6:B7"):
        book.worksheets[0].merge_cells(cells)
    book.save(path)
    found, _, _ = opened(path)
    assert shown(found) == [
        "P1 | 2026-03-13 | Leukozyten | 3.2 | G/l",
        "P1 | 2026-03-13 | Thrombozyten |  | G/l",
        "P1 | 2026-03-13 | ALT |  | U/l",
        "P2 | 2026-03-14 | Leukozyten | 5.1 | G/l",
        "P2 | 2026-03-15 | Leukozyten | 5.2 | G/l",
        " |  | Thrombozyten | 230 | G/l",
    ]


def test_rows_of_a_workbook_that_begins_further_below_keep_their_lines(
    opened: Open, workbook: Callable[..., Path]
) -> None:
    """A line that a report names is looked for there."""
    rows = [[], [], [None, *HEADER], [None, "P1", "2026-03-13", "Neut", 0.45, "%"]]
    found, _, _ = opened(styled(workbook(Labor=rows), {"E4": "0%"}))
    assert [(row.line, row.mrn, row.value) for row in found] == [(4, "P1", "45%")]


BLANK_ROWS = (
    '<table:table-row table:number-rows-repeated="{}"><table:table-cell/></table:table-row>'
)
PERCENT_ODS = (
    f'<table:table table:name="A">{BLANK_ROWS.format(2)}</table:table>'
    f'<table:table table:name="Labor">{BLANK_ROWS.format(3)}'
    "<table:table-row>{header}</table:table-row>"
    '<table:table-row table:number-rows-repeated="2">{row}<table:table-cell '
    'office:value-type="percentage" office:value="0.235"><text:p>23.5%</text:p>'
    "</table:table-cell></table:table-row></table:table>"
)


def test_the_same_in_an_opendocument_spreadsheet(opened: Open, tmp_path: Path) -> None:
    def cells(*texts: str) -> str:
        cell = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
        return "".join(map(cell.format, texts))

    header = cells("MRN", "Datum", "Test", "Einheit", "Wert")
    tables = PERCENT_ODS.format(header=header, row=cells("P1", "2026-03-13", "Neut", "%"))
    rows, _, _ = opened(open_document(tmp_path, tables))
    assert [(row.line, row.value) for row in rows] == [(5, "23.5%"), (6, "23.5%")]


def open_document(folder: Path, tables: str) -> Path:
    """A spreadsheet with these tables."""
    with zipfile.ZipFile(WORKBOOKS / "labor.ods") as archive:
        parts = {name: archive.read(name).decode() for name in archive.namelist()}
    before, _, rest = parts["content.xml"].partition("<table:table ")
    parts["content.xml"] = before + tables + rest.rpartition("</table:table>")[2]
    path = folder / "made.ods"
    with zipfile.ZipFile(path, "w") as made:
        for name, text in parts.items():
            made.writestr(name, text)
    return path


def ods_row(*cells: str) -> str:
    """A row of texts; what is markup already stays it."""
    made = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
    told = (cell if cell.startswith("<") else made.format(cell) for cell in cells)
    return f"<table:table-row>{''.join(told)}</table:table-row>"


def test_a_number_or_a_day_merged_over_rows_of_an_opendocument_spreadsheet(
    opened: Open, tmp_path: Path
) -> None:
    def over(text: str, rows: int) -> str:
        return (
            f'<table:table-cell office:value-type="string" table:number-rows-spanned="{rows}" '
            f'table:number-columns-spanned="1"><text:p>{text}</text:p></table:table-cell>'
        )

    covered = "<table:covered-table-cell/>"
    rows = (
        ods_row(*HEADER),
        ods_row(over("P1", 3), over("2026-03-13", 2), "WBC", over("3.2", 2), "G/l"),
        ods_row(covered, covered, "PLT", covered, "G/l"),
        ods_row(covered, "2026-03-14", "WBC", "5.1", "G/l"),
        ods_row("<table:table-cell/>", "2026-03-14", "PLT", "230", "G/l"),
    )
    table = f'<table:table table:name="Labor">{"".join(rows)}</table:table>'
    found, _, _ = opened(open_document(tmp_path, table))
    assert shown(found) == [
        "P1 | 2026-03-13 | WBC | 3.2 | G/l",
        "P1 | 2026-03-13 | PLT |  | G/l",
        "P1 | 2026-03-14 | WBC | 5.1 | G/l",
        " | 2026-03-14 | PLT | 230 | G/l",
    ]


def test_a_formula_that_was_never_calculated_is_no_empty_cell(
    opened: Open, workbook: Callable[..., Path]
) -> None:
    """As programs write it; a spreadsheet calculates it when it opens the workbook."""
    path = workbook(
        Labor=[
            ["MRN", "Datum", "WBC [G/l]", "PLT [G/l]", "ALT [U/l]"],
            ["P1", date(2026, 3, 13), "=32/10", 130, None],
            ["=A2", date(2026, 3, 14), 3.3, "=13*10", 30],
        ]
    )
    rows, _, notes = opened(path)
    assert shown(rows) == [
        f"P1 | 2026-03-13 | WBC | {NOT_CALCULATED} | G/l",
        "P1 | 2026-03-13 | PLT | 130 | G/l",
        " | 2026-03-14 | WBC | 3.3 | G/l",
        f" | 2026-03-14 | PLT | {NOT_CALCULATED} | G/l",
        " | 2026-03-14 | ALT | 30 | U/l",
    ]
    assert any("2 formulas that were never calculated" in note for note in notes)


@pytest.mark.parametrize(
    ("cell", "on_opening", "value"),
    [
        ('<c r="D2"><f>4/10</f><v>0</v></c>', "1", NOT_CALCULATED),
        ('<c r="D2"><f>4/10</f></c>', "", NOT_CALCULATED),
        ('<c r="D2"><f t="shared" si="0"/><v/></c>', "", NOT_CALCULATED),
        ('<c r="D2"><f>4/10</f><v>0.4</v></c>', "1", "0.4"),
        ('<c r="D2"><f>1-1</f><v>0</v></c>', "", "0"),
        ('<c r="D2" t="str"><f>IF(A1="","",A1)</f><v></v></c>', "", ""),
    ],
)
def test_what_programs_leave_as_the_value_of_a_formula(
    opened: Open, workbook: Callable[..., Path], cell: str, on_opening: str, value: str
) -> None:
    path = workbook(Labor=[HEADER, ["P1", "2026-03-13", "WBC", 77, "G/l"]])
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name).decode() for name in archive.namelist()}
    sheet, book = "xl/worksheets/sheet1.xml", "xl/workbook.xml"
    before, _, after = parts[sheet].partition('<c r="D2"')
    parts[sheet] = f"{before}{cell}{after.partition('</c>')[2]}"
    parts[book] = parts[book].replace('fullCalcOnLoad="1"', f'fullCalcOnLoad="{on_opening}"')
    with zipfile.ZipFile(path, "w") as made:
        for name, text in parts.items():
            made.writestr(name, text)
    (row,), _, _ = opened(path)
    assert row.value == value


def test_a_formula_of_an_opendocument_spreadsheet_without_a_value(
    opened: Open, tmp_path: Path
) -> None:
    formula = '<table:table-cell table:formula="of:=4/10"/>'
    rows = ods_row(*HEADER), ods_row("P1", "2026-03-13", "WBC", formula, "G/l")
    table = f'<table:table table:name="Labor">{"".join(rows)}</table:table>'
    (row,), _, _ = opened(open_document(tmp_path, table))
    assert row.value == NOT_CALCULATED


WORKBOOKS = Path(__file__).parents[1] / "data" / "workbooks"


def test_texts_with_a_decimal_comma_beside_typed_numbers_of_a_workbook(
    opened: Open, workbook: Callable[..., Path]
) -> None:
    texts = (3.2, "5,1", "<0,5", "1,250", "geronnen", "1.5 - 2,5")
    head = ["MRN", "Datum", "Test", "Wert", "Einheit", "Norm"]
    row = ["P1", date(2026, 3, 13), "Leukozyten"]
    path = workbook(Labor=[head, *([*row, text, "G/l", "3,9-10,2"] for text in texts)])
    rows, _, notes = opened(path)
    assert [row.value for row in rows] == ["3.2", "5.1", "<0.5", "1,250", "geronnen", "1.5 - 2,5"]
    assert {(row.decimal, row.ref_low, row.ref_high) for row in rows} == {("", "3.9", "10.2")}
    assert any("a comma marks decimals in texts" in note for note in notes)


def test_an_old_excel_workbook(opened: Open) -> None:
    rows, bad, notes = opened(WORKBOOKS / "labor.xls")
    assert bad == []
    assert shown(rows) == [
        "4711 | 2026-03-02 | Leukozyten | 3.9 | G/l | 3.9 | 10.2",
        "0815 | 2026-03-02T08:30 | Thrombozyten | <20 | G/l | 150 | 400",
        "4712 | 2026-03-03T07:05 | GPT (ALT) | 31 | U/l |  | 50",
        "4711 | 2026-03-09 | Leukozyten | haemolytisch | G/l",
    ]
    assert any('"Versteckt" is hidden' in note for note in notes)


def test_a_number_of_an_old_workbook_that_is_shown_in_percent(opened: Open) -> None:
    """Its first sheet has no header we know, and its second begins further right and below."""
    rows, bad, _ = opened(WORKBOOKS / "percent.xls")
    values = ["23.5%", "7%", "45", "45", "22%", "3", "0.5%"]
    assert [(row.line, row.value) for row in rows] == list(enumerate(values, 5)) and bad == []


@pytest.mark.parametrize("damage", ["short", "wild", "round"])
def test_what_an_old_workbook_shows_in_percent_is_not_known_of_a_damaged_one(damage: str) -> None:
    content = bytearray((WORKBOOKS / "percent.xls").read_bytes())
    assert old_percent_cells(bytes(content))
    if damage == "short":
        assert old_percent_cells(bytes(content[:1200])) == {}
    elif damage == "wild":
        content[0x30:0x34] = b"\xf0\xff\xff\x00"
        assert old_percent_cells(bytes(content)) == {}
    else:
        first = int.from_bytes(content[0x4C:0x50], "little")
        table = (first + 1) * 512
        content[table : table + 512] = bytes(512)
        assert old_percent_cells(bytes(content)) == {}


def test_no_content_of_an_old_workbook_breaks_the_look_at_its_formats() -> None:
    content = (WORKBOOKS / "percent.xls").read_bytes()
    luck = random.Random(5)
    for _ in range(300):
        spoilt = bytearray(content)
        for _ in range(luck.randint(1, 30)):
            spoilt[luck.randrange(8, len(spoilt))] = luck.randrange(256)
        old_percent_cells(bytes(spoilt))


def test_an_opendocument_spreadsheet(opened: Open) -> None:
    rows, bad, _ = opened(WORKBOOKS / "labor.ods")
    assert bad == []
    assert shown(rows) == [
        "4711 | 2026-03-02 | Leukozyten | 3.9 | G/l",
        "0815 | 2026-03-02T08:30 | Thrombozyten | <20 | G/l",
    ]


@pytest.mark.parametrize(
    ("was", "instead"),
    [
        (b"</table:table>", b"</table:row>"),
        (b"</table:table>", b"<percentage/table:table>"),
        (b"</table:table>", b""),
        (b"<office:document-content", b'<!DOCTYPE a [<!ENTITY b "c">]><office:document-content'),
    ],
)
def test_an_opendocument_spreadsheet_whose_table_does_not_end_is_damaged(
    opened: Open, tmp_path: Path, was: bytes, instead: bytes
) -> None:
    """The library would look for its end for ever, and the daemon with it."""
    with zipfile.ZipFile(WORKBOOKS / "labor.ods") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    assert was in parts["content.xml"]
    parts["content.xml"] = parts["content.xml"].replace(was, instead)
    with zipfile.ZipFile(tmp_path / "endless.ods", "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    with pytest.raises(UnreadableFile, match="damaged"):
        opened(tmp_path / "endless.ods")


@pytest.mark.parametrize("repeated", ["1000000", "5000001"])
def test_an_opendocument_spreadsheet_of_a_billion_cells_is_refused(
    opened: Open, tmp_path: Path, repeated: str
) -> None:
    with zipfile.ZipFile(WORKBOOKS / "labor.ods") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    row = b'<table:table-row table:number-rows-repeated="' + repeated.encode() + b'">'
    parts["content.xml"] = parts["content.xml"].replace(b"<table:table-row>", row, 1)
    with zipfile.ZipFile(tmp_path / "huge.ods", "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    with pytest.raises(UnreadableFile, match="more than can be held at once"):
        opened(tmp_path / "huge.ods")


def test_of_an_archive_no_more_is_unpacked_than_tells_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "small.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", b"\0" * (1 << 26))
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableFile, match="no spreadsheet"):
            survey(path)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert path.stat().st_size < 1 << 17 and most < 1 << 23


def test_a_title_of_thousands_of_words_is_looked_up_once() -> None:
    """Each way to part it into name and unit would be a look-up: found by fuzzing."""
    asked: list[str] = []

    def analyte(name: str) -> bool:
        asked.append(name)
        return False

    title = "a b " * 5000
    known = Known(analyte, lambda _name, _unit: False)
    assert split_unit(title, known) == (title.strip(), "")
    assert len(asked) <= 1


def test_a_row_of_thousands_of_cells_is_kept_cell_by_cell() -> None:
    """As quarantine keeps a row, its cells are paired with the header once: found by fuzzing."""
    header = [f"c{number}" for number in range(20_000)]
    assert list(Given(header, header[::-1])) == list(zip(header, header[::-1], strict=True))
