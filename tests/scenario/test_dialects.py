"""Files as laboratories of many countries and systems write them: each class that was once
misread, with what must be stored of it, and how much must be held."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Row

from monitor.intake.load import load_file
from monitor.intake.survey import UnreadableFile
from monitor.store import tables
from tests.clinic import at
from tests.desk import sqlite_desk

NOW = at("2026-06-10")


@dataclass(frozen=True)
class Dialect:
    """One file: `stored` has a line a result, `number analyte value time`."""

    text: str
    stored: str
    held: int = 0
    encoding: str = "utf-8"
    person: str = ",,"
    """Family name, given name and birth date of those enrolled."""


DIALECTS = {
    "two national encodings apart from Windows-1252, by the words: Polish": Dialect(
        """\
Numer pacjenta;Data pobrania;Godzina pobrania;Nazwa badania;Wynik;Jednostka
1001;13.03.2026;07:45;Płytki krwi;130;tys/µl
1001;13.03.2026;07:45;Leukocyty;3,20;tys/µl
""",
        """\
1001 platelets 130 2026-03-13T06:45
1001 white_cells 3.2 2026-03-13T06:45
""",
        encoding="cp1250",
    ),
    "Russian": Dialect(
        """\
Номер пациента;Дата забора;Исследование;Результат;Единица
1001;13.03.2026;Нейтрофилы;1,4;10^9/л
""",
        "1001 neutrophils 1.4 2026-03-13",
        encoding="cp1251",
    ),
    "Turkish": Dialect(
        """\
Hasta No;Numune Tarihi;Tetkik Adı;Sonuç;Birim;Referans Aralığı
1001;13.03.2026;Nötrofil #;1,4;10^3/µL;1,8-7,7
""",
        "1001 neutrophils 1.4 2026-03-13",
        encoding="cp1254",
    ),
    "the abbreviations of a database": Dialect(
        """\
PASIEN_ID,COLL_DT,TEST_CD,RSLT_VAL,RSLT_UOM,LO_RNG,HI_RNG
1001,2026-03-13T07:45,PLT,130,10*3/uL,150,400
""",
        "1001 platelets 130 2026-03-13T06:45",
    ),
    "the patient as programs in Spanish and Portuguese call him": Dialect(
        """\
paciente_id;data coleta;exame;resultado;unidade
1001;13/03/2026;Plaquetas;130;10³/µL
""",
        "1001 platelets 130 2026-03-13",
    ),
    "DOS": Dialect(
        """\
Patientennummer;Abnahmedatum;Analyse;Ergebnis;Einheit
1001;13.03.2026;Hämoglobin;11,5;g/dl
""",
        "1001 hemoglobin 115 2026-03-13",
        encoding="cp850",
    ),
    "Japanese": Dialect(
        """\
患者番号,採取日,検査項目,結果,単位
1001,2026/03/13,血小板,13.0,10^4/μL
""",
        "1001 platelets 130 2026-03-13",
        encoding="cp932",
    ),
    "Swedish: the fluid before the name, the time beside the day": Dialect(
        """\
Personnummer;Provtagningsdatum;Provtagningstid;Analys;Resultat;Enhet
1001;2026-03-13;07:45;B-Leukocyter;3,2;10*9/L
1001;2026-03-13;07:45;P-ALAT;0,85;µkat/L
1001;2026-03-13;07:45;B-Lymfocyter;0,3;10*9/L
1001;2026-03-13;07:45;U-Albumin;40;g/L
""",
        """\
1001 alt 51 2026-03-13T06:45
1001 white_cells 3.2 2026-03-13T06:45
""",
        held=2,
    ),
    "Danish: NPU codes and names": Dialect(
        """\
CPR-nummer;Prøvetagningstidspunkt;NPU-kode;Analysenavn;Svar;Enhed
1001;13-03-2026 07:45;NPU19651;Alanintransaminase [ALAT];85;U/L
1001;13-03-2026 07:45;NPU02593;Leukocytter;B;3,2;10^9/L
1001;13-03-2026 07:45;NPU02319;Hæmoglobin;7,1;mmol/L
""",
        """\
1001 alt 85 2026-03-13T06:45
1001 hemoglobin 114.4094 2026-03-13T06:45
""",
        held=1,
    ),
    "Finnish: the fluid with a gap behind it": Dialect(
        """\
Henkilötunnus;Näytteenottoaika;Tutkimus;Tulos;Yksikkö;Viitearvot
1001;28.5.2026 8:15;B -Neut;0,4;E9/l;1,5 - 6,7
1001;28.5.2026 8:15;P -ALAT;120;U/l;< 35
1001;28.5.2026 8:15;U -Alb;40;g/l;
1001;28.5.2026 8:15;B -lymphocytes;0,3;E9/l;
""",
        """\
1001 alt 120 2026-05-28T06:15
1001 neutrophils 0.4 2026-05-28T06:15
""",
        held=2,
    ),
    "Czech: the fluid with an underscore": Dialect(
        """\
Rodné číslo;Datum odběru;Čas odběru;Metoda;Výsledek;Jednotka;Ref. meze
1001;28.05.2026;08:15;B_Neutrofily (abs.);0,4;10^9/l;2,0 - 7,0
1001;28.05.2026;08:15;S_ALT;2,0;µkat/l;0,17 - 0,78
1001;28.05.2026;08:15;U_Albumin;40;g/l;
1001;28.05.2026;08:15;B_Lymfocyty;0,3;10^9/l;
""",
        """\
1001 alt 120 2026-05-28T06:15
1001 neutrophils 0.4 2026-05-28T06:15
""",
        held=2,
    ),
    "Greek: a kappa of their own before the unit": Dialect(
        """\
ΑΜΚΑ;Ημερομηνία λήψης;Εξέταση;Αποτέλεσμα;Μονάδες
1001;28/05/2026;Λευκά αιμοσφαίρια;3,1;Κ/μL
""",
        "1001 white_cells 3.1 2026-05-28",
    ),
    "Hungarian dates end in a dot": Dialect(
        """\
TAJ szám;Mintavétel dátuma;Vizsgálat;Eredmény;Mértékegység
1001;2026.03.13.;Fehérvérsejt;3,2;G/l
1001;2026. 03. 13. 7:45;Thrombocyta;130;G/l
""",
        """\
1001 platelets 130 2026-03-13T06:45
1001 white_cells 3.2 2026-03-13
""",
    ),
    "French: thousands by spaces, and words for no result": Dialect(
        """\
N° IPP;Date de prélèvement;Analyse;Résultat;Unité
1001;13/03/2026;Leucocytes;3 200;/mm3
1001;13/03/2026;PNN;1\u202f400;/mm3
1001;13/03/2026;Lymphocytes;0 500;/mm3
1001;13/03/2026;Plaquettes;Agrégats plaquettaires;G/L
""",
        """\
1001 neutrophils 1.4 2026-03-13
1001 platelets - 2026-03-13
1001 white_cells 3.2 2026-03-13
""",
        held=1,
    ),
    "Swiss: thousands by apostrophes": Dialect(
        """\
Patienten-Nr.;Abn.-Datum;Analyse;Resultat;Einheit
1001;13.03.2026;Leuko;3'200;/µl
1001;13.03.2026;Thrombo;130’000;/µl
""",
        """\
1001 platelets 130 2026-03-13
1001 white_cells 3.2 2026-03-13
""",
    ),
    "British: two numbers of a patient, two names of a test, a day beside an instant": Dialect(
        """\
NHS Number,Hospital Number,Collection Date,Collection DateTime,Test,Description,Result,\
Numeric Result,Units,Accession Number,Specimen ID,Result Date,Verified
9434765919,1001,13/03/2026,13/03/2026 07:45,WBC,White cell count,3.2,3.2,10^9/L,A1,S1,13/03/2026,\
13/03/2026 10:00
9434765919,1001,13/03/2026,,PLT,Platelet count,<15,15,10^9/L,A1,S1,13/03/2026,13/03/2026 10:00
""",
        """\
1001 platelets <15 2026-03-13
1001 white_cells 3.2 2026-03-13T06:45
""",
    ),
    "German: the number of the case beside the patient's": Dialect(
        """\
Fallnummer;Patientennummer;Auftragsnummer;Probennummer;Abnahmedatum;Abnahmezeit;Kürzel;Analyse;\
Bezeichnung;Ergebnis;Einheit;Freigabe
F77;1001;A1;P1;13.03.2026;07:45;LEUK;Leukozyten;im Blut;3,2;/nl;13.03.2026 10:00
""",
        "1001 white_cells 3.2 2026-03-13T06:45",
    ),
    "Epic": Dialect(
        """\
PAT_MRN_ID,ORDER_PROC_ID,LINE,ORD_DATE_REAL,SPECIMN_TAKEN_TIME,RESULT_TIME,COMPONENT_ID,\
COMPONENT_NAME,ORD_VALUE,ORD_NUM_VALUE,REFERENCE_LOW,REFERENCE_HIGH,REFERENCE_UNIT,\
RESULT_STATUS_C_NAME
1001,5,1,3/12/2026,3/13/2026 7:45:00 AM,3/13/2026 9:00:00 AM,1230003,ALT,<5,9999999,7,56,U/L,Final
""",
        "1001 alt <5 2026-03-13T06:45",
    ),
    "OMOP: an instant that is empty beside its day": Dialect(
        """\
measurement_id,person_id,measurement_concept_id,measurement_date,measurement_datetime,\
value_as_number,unit_concept_id,measurement_source_value,unit_source_value,value_source_value
1,1001,3000905,2026-03-13,2026-03-13 07:45:00,3.2,8848,6690-2,10*3/uL,3.2
2,1001,3006923,2026-03-14,,85,8645,1742-6,U/L,85
""",
        """\
1001 alt 85 2026-03-14
1001 white_cells 3.2 2026-03-13T06:45
""",
    ),
    "ADaM: both numbers, both values, and what is reported counts": Dialect(
        """\
STUDYID,SUBJID,USUBJID,ADT,ADTM,PARAM,PARAMCD,AVAL,LBORRES,LBORRESU,LBSTRESN,LBSTRESU,LBDTC,\
LBTESTCD,LBTEST
S,01,1001,2026-03-13,2026-03-13T07:45,Bilirubin (umol/L),BILI,9,0.5,mg/dL,8.552,umol/L,\
2026-03-13T07:45,BILI,Bilirubin
""",
        "1001 bilirubin 8.552 2026-03-13T06:45",
    ),
    "dates of several hands in one column: each way of writing is settled by its own": Dialect(
        """\
Patient ID,Sample date,Test,Result,Unit
1001,13/03/2026,ALT,30,U/L
1001,03/04/2026 08:00,ALT,31,U/L
1001,05-04-2026,ALT,32,U/L
1001,06/04/26,ALT,33,U/L
1001,07.04.2026,ALT,34,U/L
1001,04-27-2026,AST,35,U/L
""",
        """\
1001 alt 30 2026-03-13
1001 ast 35 2026-04-27
""",
        held=4,
    ),
    "the same where nobody shows another order": Dialect(
        """\
Patient ID,DOB,Sample date,Test,Result,Unit
1001,13-02-1980,13/03/2026,ALT,30,U/L
1001,13-02-1980,03/04/2026 08:00,ALT,31,U/L
1001,13-02-1980,05-04-2026,ALT,32,U/L
1001,13-02-1980,07.04.2026,ALT,34,U/L
""",
        """\
1001 alt 30 2026-03-13
1001 alt 31 2026-04-03T06:00
1001 alt 34 2026-04-07
""",
        held=1,
        person=",,1980-02-13",
    ),
    "a birth date settles dates that are written otherwise": Dialect(
        """\
Patient ID,DOB,Sample date,Test,Result,Unit
1001,13-02-1980,03/04/2026,ALT,30,U/L
""",
        "1001 alt 30 2026-04-03",
        person=",,1980-02-13",
    ),
    "months first, and dots, which are days first": Dialect(
        """\
Patient ID,Sample date,Test,Result,Unit
1001,03/13/2026,ALT,30,U/L
1001,04/03/2026,ALT,31,U/L
1001,05.04.2026,ALT,32,U/L
""",
        """\
1001 alt 30 2026-03-13
1001 alt 31 2026-04-03
""",
        held=1,
    ),
    "months of Swedish, Danish, Norwegian, Spanish, Czech and Russian": Dialect(
        """\
Patient ID,Sample date,Test,Result,Unit
1001,9 augusti 2025,ALT,30,U/L
1001,9 marts 2026,ALT,31,U/L
1001,9. desember 2025,ALT,32,U/L
1001,9 de setiembre de 2025,ALT,33,U/L
1001,9. listopadu 2025,ALT,34,U/L
1001,9 мая 2026,ALT,35,U/L
""",
        """\
1001 alt 30 2025-08-09
1001 alt 31 2026-03-09
1001 alt 32 2025-12-09
1001 alt 33 2025-09-09
1001 alt 34 2025-11-09
1001 alt 35 2026-05-09
""",
    ),
    "SDTM's names of segmented neutrophils and of the filtration rate": Dialect(
        """\
USUBJID,LBTESTCD,LBTEST,LBORRES,LBORRESU,LBDTC
1001,NEUTSG,"Neutrophils, Segmented",2.1,10^9/L,2026-03-13
1001,GFRE,"Glomerular Filtration Rate, Estimated",88,mL/min/1.73m2,2026-03-13
1001,GFRBSCRT,GFR from Creatinine Adjusted for BSA,90,mL/min/1.73m2,2026-03-14
""",
        """\
1001 egfr 88 2026-03-13
1001 egfr 90 2026-03-14
1001 neutrophils 2.1 2026-03-13
""",
    ),
    "ADaM: rows that an analysis made of others are none": Dialect(
        """\
USUBJID,PARAM,PARAMCD,AVISIT,ADT,AVAL,ANRLO,ANRHI,DTYPE
1001,Lymphocytes Abs (10^9/L),LYMPH,Week 2,2026-03-13,0.8,0.8,3,NA
1001,Lymphocytes Abs (10^9/L),LYMPH,Week 4,2026-03-27,0.8,0.8,3,LOCF
1001,Lymphocytes Abs (10^9/L),LYMPH,POST-BASELINE MINIMUM,2026-04-10,0.4,0.8,3,MINIMUM
1001,Lymphocytes Abs (10^9/L),LYMPH,Average,2026-04-11,0.6,0.8,3,AVERAGE
1001,Lymphocytes Abs (10^9/L),LYMPH,Week 8,2026-04-24,0.7,,,CALCULATION
""",
        """\
1001 lymphocytes 0.7 2026-04-24
1001 lymphocytes 0.8 2026-03-13
""",
    ),
    "units behind the names of tests, and nowhere else": Dialect(
        """\
SUBJID,USUBJID,ADT,PARAM,PARAMCD,AVAL
01,1001,2026-03-13,Leukocytes (10^9/L),WBC,3.2
01,1001,2026-03-13,"ALT, U/L",ALT,85
01,1001,2026-03-13,Platelets,PLAT,130
""",
        """\
1001 alt 85 2026-03-13
1001 white_cells 3.2 2026-03-13
""",
        held=1,
    ),
    "what programs and people write into empty cells of a wide table": Dialect(
        """\
"","patient_id","sample_date","wbc [10^9/L]","neutrophils [10^9/L]","platelets [10^9/L]","alt [U/L]"
"1","1001","2026-03-13",3.2,NA,-,n/a
"2","1001","2026-03-20",NaN,1.4,NULL,--
""",
        """\
1001 alt - 2026-03-13
1001 neutrophils 1.4 2026-03-20
1001 white_cells 3.2 2026-03-13
""",
    ),
    "the whole name in one cell is compared": Dialect(
        """\
MRN,Patient Name,DOB,Collected,Test,Result,Units
1001,"MÜLLER, Jürgen",01/02/1970,13/03/2026,WBC,3.2,K/uL
1001,Juergen Mueller,01/02/1970,13/03/2026,ALT,85,U/L
1001,"JONES, Mary",01/02/1970,13/03/2026,PLT,130,K/uL
""",
        """\
1001 alt 85 2026-03-13
1001 white_cells 3.2 2026-03-13
""",
        held=1,
        person="Müller,Jürgen,1970-02-01",
    ),
    "a column that is called patient, beside the number, may be a name or a code": Dialect(
        """\
Prontuário;Paciente;Data da coleta;Exame;Resultado;Unidade
1001;Müller Jürgen;13/03/2026;Leucócitos totais;3.900;/mm³
1001;Souza Ana;13/03/2026;Plaquetas;145.000;/mm³
1001;P-77;13/03/2026;Bilirrubina total;0,8;mg/dL
""",
        """\
1001 bilirubin 13.6832 2026-03-13
1001 white_cells 3.9 2026-03-13
""",
        held=1,
        person="Müller,Jürgen,1970-02-01",
    ),
    "the name above the table is compared": Dialect(
        """\
Patient ID: 1001
Patient name: Mary Jones
Test,Unit,13/03/2026,20/03/2026
WBC,G/L,3.2,3.4
""",
        "",
        held=2,
        person="Müller,Jürgen,1970-02-01",
    ),
    "Chinese": Dialect(
        """\
病历号,姓名,采集时间,项目,结果,单位
1001,张三,2026-03-13 07:45,白细胞计数,3.2,10^9/L
1001,张三,2026-03-13 07:45,中性粒细胞绝对值,1.4,10^9/L
""",
        """\
1001 neutrophils 1.4 2026-03-13T06:45
1001 white_cells 3.2 2026-03-13T06:45
""",
        encoding="gb18030",
    ),
    "hospitals of China: each count and its share, and one of the urine": Dialect(
        """\
病历号,采样时间,项目名称,结果,单位,参考值,提示
1001,2026-03-13 07:45:00,中性粒细胞绝对值(NEUT#),1.10,10^9/L,1.8-6.3,↓
1001,2026-03-13 07:45:00,淋巴细胞百分比,12.5,%,20-50,↓
1001,2026-03-13 07:45:00,尿素,5.1,mmol/L,3.1-8,
1001,2026-03-13 07:45:00,尿白细胞,25,/uL,0-10,
""",
        """\
1001 lymphocytes_percent 12.5 2026-03-13T06:45
1001 neutrophils 1.1 2026-03-13T06:45
1001 urea 5.1 2026-03-13T06:45
""",
        held=1,
    ),
    "hospitals of Japan: counts by hundreds and ten thousands": Dialect(
        """\
患者番号,採取日時,検査項目名,検査結果,単位,基準値下限,基準値上限,異常フラグ
1001,2026/03/13 07:45,白血球数(WBC),32,×10^2/μL,33,86,L
1001,2026/03/13 07:45,血小板数(PLT),13.0,×10^4/μL,15.8,34.8,L
1001,2026/03/13 07:45,総ビリルビン,1,mg/dL,0.4,1.5,
1001,2026/03/13 07:45,尿素窒素(BUN),10,mg/dL,8,20,
""",
        """\
1001 bilirubin 17.104 2026-03-13T06:45
1001 platelets 130 2026-03-13T06:45
1001 urea 3.57 2026-03-13T06:45
1001 white_cells 3.2 2026-03-13T06:45
""",
    ),
    "Indian reports: lakhs, and urea beside its nitrogen": Dialect(
        """\
Patient ID,Collection Date,Test Name,Result,Unit,Bio. Ref. Interval
1001,13-Mar-2026 07:45,Total Leucocyte Count (TLC),"3,200",cells/cumm,"4,000 - 10,000"
1001,13-Mar-2026 07:45,Platelet Count,1.30,lakhs/cumm,1.50 - 4.10
1001,13-Mar-2026 07:45,Blood Urea,30,mg/dL,15 - 40
""",
        """\
1001 platelets 130 2026-03-13T06:45
1001 urea 4.995 2026-03-13T06:45
1001 white_cells 3.2 2026-03-13T06:45
""",
    ),
    "the fluid behind the name": Dialect(
        """\
MRN,Collected,Test,Result,Units
1001,2026-03-13,Leukozyten (EDTA-Blut),3.2,G/l
1001,2026-03-13,Kreatinin im Serum,80,umol/l
1001,2026-03-13,GPT (ALT) Se,120,U/l
1001,2026-03-13,Neutrophile Se,0.4,G/l
1001,2026-03-13,B-lymphocytes (Blood),0.3,10*9/L
1001,2026-03-13,Hemoglobin (Plasma),40,g/L
1001,2026-03-13,Kreatinin i. U.,80,umol/l
1001,2026-03-13,Thrombozyten (Citrat),130,G/l
""",
        """\
1001 alt 120 2026-03-13
1001 creatinine 80 2026-03-13
1001 white_cells 3.2 2026-03-13
""",
        held=5,
    ),
    "the names of British test lists": Dialect(
        """\
NHS Number,Sample Date,Test Name,Result,Units
1001,13/03/2026,White blood cell count in blood,3.2,10*9/L
1001,13/03/2026,Neutrophil count in blood,1.1,10*9/L
1001,13/03/2026,Alanine aminotransferase enzyme activity in serum,85,U/L
1001,13/03/2026,Creatinine substance concentration in plasma,80,umol/L
1001,13/03/2026,HbA1c (haemoglobin A1c) substance concentration in blood,42,mmol/mol
1001,13/03/2026,White blood cell count in urine,25,10*6/L
""",
        """\
1001 alt 85 2026-03-13
1001 creatinine 80 2026-03-13
1001 neutrophils 1.1 2026-03-13
1001 white_cells 3.2 2026-03-13
""",
        held=2,
    ),
    "UTF-8 that was encoded again": Dialect(
        """\
Numéro patient;Date prélèvement;Paramètre;Résultat;Unité
1001;13/03/2026;Leucocytes;3,2;10³/µL
1001;13/03/2026;Créatinine;78;µmol/L
""".encode().decode("latin-1"),
        """\
1001 creatinine 78 2026-03-13
1001 white_cells 3.2 2026-03-13
""",
    ),
    "cells guarded from a spreadsheet, and spaces around quotes": Dialect(
        '''\
"MRN" , "Collected" , "Test" , "Result" , "Units"
"=""1001""","2026-03-13","WBC","=""3.2""","K/uL"
="1001",2026-03-13,PLT,130,K/uL
''',
        """\
1001 platelets 130 2026-03-13
1001 white_cells 3.2 2026-03-13
""",
    ),
    "what is counted elsewhere than in blood, and what only sounds like it": Dialect(
        """\
MRN,Collected,Specimen Type,Test,Result,Units
1001,2026-03-13,Blood,WBC,3.2,K/uL
1001,2026-03-13,Urine,WBC,5,/HPF
1001,2026-03-13,Urine,Creatinine,8.2,mmol/L
1001,2026-03-13,CSF,Albumin,0.3,g/L
1001,2026-03-13,,Urine creatinine,8.2,mmol/L
1001,2026-03-13,,"Albumin, urine",20,mg/L
1001,2026-03-13,,CSF white cells,2,10*6/L
1001,2026-03-13,,Hb A1c,42,mmol/mol
1001,2026-03-13,,Reticulocyte Hb,30,pg
1001,2026-03-13,,CD4 lymphocytes,0.3,10*9/L
1001,2026-03-13,,B-lymphocytes,0.3,10*9/L
1001,2026-03-13,,Atypical lymphocytes,0.3,10*9/L
1001,2026-03-13,,Neutrophil to lymphocyte ratio,2.3,
1001,2026-03-13,,Bone alkaline phosphatase,20,U/L
1001,2026-03-13,,Prealbumin,0.3,g/L
""",
        "1001 white_cells 3.2 2026-03-13",
        held=14,
    ),
    "Polish names, one in brackets behind another": Dialect(
        """\
ID pacjenta;Data pobrania;Badanie;Wynik;Jednostka;Zakres referencyjny
1001;2026-03-13 07:45;Neutrocyty;1,1;10^3/µl;1,8 - 7,7
1001;2026-03-13 07:45;Aminotransferaza alaninowa (ALT);85;U/l;< 40
1001;2026-03-13 07:45;Fosfataza zasadowa;120;U/l;40 - 129
1001;2026-03-13 07:45;Erytrocyty;4,5;10^6/µl;4,00 - 5,00
""",
        """\
1001 alp 120 2026-03-13T06:45
1001 alt 85 2026-03-13T06:45
1001 neutrophils 1.1 2026-03-13T06:45
""",
        held=1,
    ),
    "analysers with three kinds of white cells": Dialect(
        """\
MRN,Collected,Test,Result,Units
1001,2026-03-13,GRA#,1.1,10^9/L
1001,2026-03-13,GRA%,34,%
1001,2026-03-13,MID#,0.3,10^9/L
1001,2026-03-13,Immature granulocytes,0.1,10^9/L
1001,2026-03-13,Pankreasamylase,30,U/L
""",
        """\
1001 neutrophils 1.1 2026-03-13
1001 neutrophils_percent 34 2026-03-13
""",
        held=3,
    ),
    "LOINC's long names without its codes": Dialect(
        """\
MRN,Collected,Test,Result,Units
1001,2026-03-13,Leukocytes [#/volume] in Blood by Automated count,3.2,K/uL
1001,2026-03-13,Neutrophils/100 leukocytes in Blood by Automated count,34,%
1001,2026-03-13,Bilirubin.total [Mass/volume] in Serum or Plasma,1,mg/dL
1001,2026-03-13,Urea nitrogen [Mass/volume] in Serum or Plasma,10,mg/dL
1001,2026-03-13,Leukocytes [#/volume] in Cerebral spinal fluid,2,/uL
1001,2026-03-13,WBC (Fluid),250,/uL
1001,2026-03-13,WBC Bronchoalveolar lavage,250,/uL
""",
        """\
1001 bilirubin 17.104 2026-03-13
1001 neutrophils_percent 34 2026-03-13
1001 urea 3.57 2026-03-13
1001 white_cells 3.2 2026-03-13
""",
        held=3,
    ),
    "flags in the cell of the value, where its unit stands apart": Dialect(
        """\
MRN,Collected,Test,Result,Units
1001,2026-03-13,WBC,3.2 L,K/uL
1001,2026-03-13,PLT,H 450,K/uL
1001,2026-03-13,ANC,<0.1 (LL),K/uL
1001,2026-03-13,ALT,85↑,U/L
1001,2026-03-13,AST,85 *,U/L
1001,2026-03-13,Hb,６．５ L*,g/dL
1001,2026-03-13,CRP,＜5,mg/L
1001,2026-03-13,GGT,2+,U/L
1001,2026-03-13,ALP,130 +,U/L
1001,2026-03-13,INR,'1.1,
1001,2026-03-13,Lymphocytes,1 L,
""",
        """\
1001 alp 130 2026-03-13
1001 alt 85 2026-03-13
1001 crp <5 2026-03-13
1001 hemoglobin 65 2026-03-13
1001 inr 1.1 2026-03-13
1001 neutrophils <0.1 2026-03-13
1001 platelets 450 2026-03-13
1001 white_cells 3.2 2026-03-13
""",
        held=3,
    ),
    "times with the name of a zone": Dialect(
        """\
MRN,Collection Date,Collection Time,Test,Result,Units
1001,03/13/2026,08:12 EST,WBC,3.2,K/uL
1001,03/13/2026,8:12 PM CET,PLT,130,K/uL
1001,03/13/2026,08:12 MEZ,ALT,85,U/L
1001,03/13/2026,08:12 IST,AST,85,U/L
""",
        """\
1001 alt 85 2026-03-13T07:12
1001 platelets 130 2026-03-13T19:12
1001 white_cells 3.2 2026-03-13T13:12
""",
        held=1,
    ),
    "columns whose name says percent, in brackets or not": Dialect(
        """\
mrn,collected_at,white_cells [10*9/L],neutrophils [%],Lymphs %,EOS (%),MONO_PCT,%BASO,WBC x 1000
1001,2026-03-13,3.2,34,51,4,10,1,
""",
        """\
1001 basophils_percent 1 2026-03-13
1001 eosinophils_percent 4 2026-03-13
1001 lymphocytes_percent 51 2026-03-13
1001 monocytes_percent 10 2026-03-13
1001 neutrophils_percent 34 2026-03-13
1001 white_cells 3.2 2026-03-13
""",
    ),
    "columns of the value, the unit and the limits of each analyte": Dialect(
        """\
Patient ID,Collection Date,WBC_value,WBC_unit,WBC_low,WBC_high,Result PLT,ANC Result,ANC Units
1001,2026-03-13,3200,/uL,4000,10000,1,1.1,K/uL
""",
        """\
1001 neutrophils 1.1 2026-03-13
1001 white_cells 3.2 2026-03-13
""",
    ),
    "a mere Name beside a birth date is the patient's": Dialect(
        """\
MRN,Name,DOB,Collected,Test,Result,Units
1001,"KELLER, ANNA",1970-05-01,2026-03-13,WBC,3.2,K/uL
1001,"MILLER, ANNA",1970-05-01,2026-03-13,PLT,130,K/uL
""",
        "1001 white_cells 3.2 2026-03-13",
        held=1,
        person="Keller,Anna,1970-05-01",
    ),
    "a Name that may be what a code is called says nothing of the patient": Dialect(
        """\
MRN,DOB,Collected,LOINC,Name,Result,Units
1001,1970-05-01,2026-03-13,6690-2,Leukocytes,3.2,K/uL
""",
        "1001 white_cells 3.2 2026-03-13",
        person="Keller,Anna,1970-05-01",
    ),
    "a status under many names: what is in error or cancelled is no value": Dialect(
        """\
PERSON_ID,EVENT_END_DT_TM,EVENT_CD_DISPLAY,RESULT_VAL,RESULT_UNITS_CD_DISPLAY,RESULT_STATUS_CD_DISPLAY
1001,2026-03-13 08:30:00,WBC,3.2,x10(3)/mcL,Auth (Verified)
1001,2026-03-13 08:30:00,Platelet,13,x10(3)/mcL,Canceled
1001,2026-03-13 08:30:00,Neutrophils,0.1,x10(3)/mcL,Rejected by analyser
""",
        """\
1001 platelets - 2026-03-13T07:30
1001 white_cells 3.2 2026-03-13T07:30
""",
        held=1,
    ),
    "headings among the rows: under that of urine or liquor stands no blood": Dialect(
        """\
Patient ID;1001
Collected;2026-03-13 08:00
Test;Unit;Result
Hämatologie
Leukozyten;G/l;3.4
Urin
Leukozyten;/uL;340
Sediment
Leukozyten;/uL;25
Klinische Chemie
GPT;U/l;22
Kreatinin i.S.;umol/L;70
*** Liquor ***
Leukozyten;/uL;3
""",
        """\
1001 alt 22 2026-03-13T07:00
1001 creatinine 70 2026-03-13T07:00
1001 white_cells 3.4 2026-03-13T07:00
""",
        held=8,
    ),
    "headings in a list, up to the next patient": Dialect(
        """\
MRN,Date,Test,Result,Unit
,,Urinalysis,,
1002,2026-03-13,WBC,25,/uL
1001,2026-03-13,WBC,3.4,K/uL
""",
        "1001 white_cells 3.4 2026-03-13",
        held=2,
    ),
    "a report of urine by the line above it": Dialect(
        """\
Urinstatus
Patient ID;1001
Collected;2026-03-13 08:00
Test;Unit;Result
Leukozyten;/uL;340
""",
        "",
        held=1,
    ),
    "a report of a material that is stated above it": Dialect(
        """\
Patient ID: 1001
Material: Urine
Collected: 2026-03-13 08:00
Test,Unit,Result
Leukocytes,/uL,340
""",
        "",
        held=1,
    ),
    "a status above the rows is that of its report, and a ward is no status": Dialect(
        """\
Patient ID;1001
Collected;2026-03-13 08:00
Report status;Cancelled
Test;Unit;Result
WBC;K/uL;0.4
Patient ID;1001
Collected;2026-03-14 08:00
Status;Inpatient
Test;Unit;Result
WBC;K/uL;3.4
""",
        """\
1001 white_cells - 2026-03-13T07:00
1001 white_cells 3.4 2026-03-14T07:00
""",
        held=1,
    ),
    "a letterhead of a urologist is no material": Dialect(
        """\
Urologische Praxis Dr Meier
Patient ID;1001
Material;EDTA-Blut
Collected;2026-03-13 08:00
Test;Unit;Result
Leukozyten;G/l;3.4
""",
        "1001 white_cells 3.4 2026-03-13T07:00",
    ),
    "a line of units below the names, percent among them": Dialect(
        """\
NHC;Fecha extracción;Leucocitos;Neutrófilos;Linfocitos
;;x10^3/µL;%;%
1001;13/03/2026;4,5;55,2;30,1
""",
        """\
1001 lymphocytes_percent 30.1 2026-03-13
1001 neutrophils_percent 55.2 2026-03-13
1001 white_cells 4.5 2026-03-13
""",
    ),
    "a year of two digits that may stand first: held, and never taken for a day": Dialect(
        """\
患者番号,採取日,検査項目,結果,単位
1001,26/03/13,血小板,13.0,10^4/μL
1001,26/03/02,白血球,3.2,10^3/μL
""",
        "",
        encoding="cp932",
        held=2,
    ),
    "a day of two digits that would be a year to come is a day": Dialect(
        """\
MRN,Date of birth,Collection Date,Test,Result,Units
1001,27/04/14,28/02/26,Platelets,130,10^9/L
""",
        "1001 platelets 130 2026-02-28",
        person="Rossi,Maria,2014-04-27",
    ),
    "a birth date may seem to be to come: the year may still stand first": Dialect(
        """\
MRN,Date of birth,Collection Date,Test,Result,Units
1001,28/04/05,26/03/14,Platelets,130,10^9/L
1001,28/04/05,26/02/24,Platelets,120,10^9/L
""",
        "",
        held=2,
    ),
    "dates above the header settle the order of day and month": Dialect(
        """\
Codice paziente: 1001
Data di nascita: 05/04/1961
Data prelievo: 13/03/2026 ore 8.10

Esame;Risultato;U.M.
Neutrofili;1,2;10^3/uL
""",
        "1001 neutrophils 1.2 2026-03-13T07:10",
        person="Rossi,Maria,1961-04-05",
    ),
    "the template of a network of German hospitals": Dialect(
        """\
Patient-ID,Versorgungsfall-Nr,LOINC,Parameter,Messwert,Einheit,Zeitstempel (Abnahme)
1001,1,6690-2,Leukozyten,3.2,G/l,2026-03-13T07:45
1001,1,34714-6,INR,1.1,-,2026-03-13T07:45
""",
        """\
1001 inr 1.1 2026-03-13T06:45
1001 white_cells 3.2 2026-03-13T06:45
""",
    ),
    "ADaM with the limits of what was reported and of what is analysed": Dialect(
        """\
USUBJID,LBTEST,LBORRES,LBORRESU,LBORNRLO,LBORNRHI,LBDTC,ADT,PARAM,AVAL,ANRLO,ANRHI
1001,Bilirubin,0.5,mg/dL,0.1,1.2,2026-03-13T07:45,2026-03-13,Bilirubin (umol/L),8.6,2,21
""",
        "1001 bilirubin 8.552 2026-03-13T06:45",
    ),
    "a mere DT": Dialect(
        """\
USUBJID,CAT,TEST,STRESU,STRESN,STNRLO,STNRHI,VISIT,DT
1001,Blood,Platelet count,x 109/L,130,150,350,Screening,2026-03-13
""",
        "1001 platelets 130 2026-03-13",
    ),
    "times of three digits, of SAS, and with the name of their zone": Dialect(
        """\
MRN,Collection Date,Collection Time,Test,Result,Units
1001,03/13/2026,745,WBC,3.2,K/uL
1001,13MAR2026:07:45:00,,PLT,130,K/uL
1001,2026-03-13T07:45:00+01:00[Europe/Zurich],,ALT,85,U/L
""",
        """\
1001 alt 85 2026-03-13T06:45
1001 platelets 130 2026-03-13T06:45
1001 white_cells 3.2 2026-03-13T06:45
""",
    ),
    "SDTM's standard results alone, the text and the number": Dialect(
        """\
USUBJID,LBTESTCD,LBSTRESC,LBSTRESN,LBSTRESU,LBSTNRLO,LBSTNRHI,LBDTC
1001,BILI,<3.42,3.42,umol/L,3,21,2026-03-13
1001,HGB,8.1,8.1,mmol/L,7.4,9.9,2026-03-13
""",
        """\
1001 bilirubin <3.42 2026-03-13
1001 hemoglobin 130.5234 2026-03-13
""",
    ),
    "ADaM's character value says more than its number": Dialect(
        """\
USUBJID,PARAM,AVAL,AVALC,ADT
1001,Bilirubin (umol/L),3.42,<3.42,2026-03-13
1001,Alanine Aminotransferase (U/L),85,,2026-03-13
""",
        """\
1001 alt 85 2026-03-13
1001 bilirubin <3.42 2026-03-13
""",
    ),
    "a name in two lines of its cell": Dialect(
        """MRN,Collected,Test,Result,Units
1001,2026-03-13,"WBC
(auto)",3.2,K/uL
""",
        "1001 white_cells 3.2 2026-03-13",
    ),
    "PCORnet's serum or plasma": Dialect(
        """PATID|SPECIMEN_SOURCE|LAB_LOINC|SPECIMEN_DATE|RESULT_NUM|RESULT_MODIFIER|RESULT_UNIT
1001|SR_PLS|1742-6|2026-03-13|85|EQ|U/L
1001|URINE|1754-1|2026-03-13|85|EQ|mg/L
""",
        "1001 alt 85 2026-03-13",
        held=1,
    ),
    "an Italian laboratory": Dialect(
        """Codice Paziente;Data prelievo;Esame;Esito;U.M.;Valori riferimento
1001;13/03/2026;Sg-PIASTRINE;130;x10^3/µL;[150 - 400]
1001;13/03/2026;Linfociti (val. ass.);0,45;10^9/L;[1,0 - 4,0]
1001;13/03/2026;U-Creatinina;90;mg/dL;
""",
        """1001 lymphocytes 0.45 2026-03-13
1001 platelets 130 2026-03-13
""",
        held=1,
    ),
}


@pytest.mark.parametrize("name", DIALECTS)
def test_a_dialect_is_read_and_nothing_is_guessed(
    migrated_sqlite: Path, tmp_path: Path, name: str
) -> None:
    dialect = DIALECTS[name]
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.enrol(f"1001,azathioprine,2026-01-05,{dialect.person}")
        path = tmp_path / "labs.csv"
        path.write_bytes(dialect.text.encode(dialect.encoding))
        report = load_file(desk.store, desk.settings, path, "", NOW)
        found = sorted(map(_shown, desk.clinic.rows(tables.ResultRow)))
        assert found == dialect.stored.splitlines()
        assert report.quarantined == len(desk.held()) == dialect.held


def _shown(row: Row[Any]) -> str:
    value = "-" if row.value is None else f"{row.comparator}{row.value.normalize():f}"
    when = f"{row.collected_at:%Y-%m-%dT%H:%M}" if row.timed else row.collected_on.isoformat()
    return f"1001 {row.analyte} {value} {when}"


def test_a_text_that_fits_no_encoding_better_stays_what_it_was(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        path = tmp_path / "labs.csv"
        path.write_bytes("Größe;Maß\n1;2\n".encode("cp1252"))
        with pytest.raises(UnreadableFile, match="Größe"):
            load_file(desk.store, desk.settings, path, "", NOW)
