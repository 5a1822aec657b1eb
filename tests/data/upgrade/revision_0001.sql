BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE alert_history (
	id INTEGER NOT NULL, 
	alert_id INTEGER NOT NULL, 
	at DATETIME NOT NULL, 
	what VARCHAR NOT NULL, 
	"by" VARCHAR NOT NULL, 
	note VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(alert_id) REFERENCES alerts (id)
);
INSERT INTO "alert_history" VALUES(1,1,'2026-01-12 15:00:00.000000','opened','monitor','Lymphocytes 0.40 10*9/L on 12 Jan 2026: below 0.5 10*9/L');
INSERT INTO "alert_history" VALUES(2,2,'2026-01-12 15:00:00.000000','opened','monitor','Neutrophils 0.80 10*9/L on 12 Jan 2026: below 1.0 10*9/L');
INSERT INTO "alert_history" VALUES(3,1,'2026-01-13 09:00:00.000000','withdrawn','monitor','a correction took its cause away');
INSERT INTO "alert_history" VALUES(4,2,'2026-01-13 10:00:00.000000','acknowledged','Dr Gray','until 2026-01-20; seen');
INSERT INTO "alert_history" VALUES(5,3,'2026-01-27 07:00:00.000000','opened','monitor','Complete blood count with differential seriously overdue: was due 19 Jan 2026 (last 12 Jan 2026)');
INSERT INTO "alert_history" VALUES(6,2,'2026-01-27 07:00:00.000000','acknowledgement expired','monitor','the acknowledgement has run out');
INSERT INTO "alert_history" VALUES(7,4,'2026-01-27 07:00:00.000000','opened','monitor','Complete blood count with differential seriously overdue: was due 14 Jan 2026 (last 12 Jan 2026)');
CREATE TABLE alerts (
	id INTEGER NOT NULL, 
	enrolment_id INTEGER NOT NULL, 
	cause VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	rule VARCHAR, 
	urgency VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	recovered BOOLEAN NOT NULL, 
	opened_at DATETIME NOT NULL, 
	summary VARCHAR NOT NULL, 
	level INTEGER NOT NULL, 
	downward BOOLEAN NOT NULL, 
	worst_value VARCHAR, 
	breaches JSON NOT NULL, 
	subjects JSON NOT NULL, 
	shown JSON NOT NULL, 
	content VARCHAR NOT NULL, 
	told_level INTEGER, 
	told_value VARCHAR, 
	last_told_at DATETIME, 
	first_seen_recovered BOOLEAN NOT NULL, 
	acknowledged_until DATE, 
	acknowledged_by VARCHAR, 
	snoozed_until DATE, 
	snoozed_by VARCHAR, 
	snooze_reason VARCHAR, 
	review_by DATE, 
	closed_at DATETIME, 
	closed_by VARCHAR, 
	closed_recovered BOOLEAN NOT NULL, 
	outcome VARCHAR, 
	protocol_digest VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(enrolment_id) REFERENCES enrolments (id)
);
INSERT INTO "alerts" VALUES(1,2,'rule:lymphopenia','dose_reduction','lymphopenia','urgent','closed',0,'2026-01-12 15:00:00.000000','Lymphocytes 0.40 10*9/L on 12 Jan 2026: below 0.5 10*9/L',1,1,'0.4','["2026-01-12T08:30:00+00:00"]','[]','{"mrn": "P2", "drug": "azathioprine", "clinic": "south", "protocol": {"id": "azathioprine", "title": "Azathioprine: CBC weekly to week 8, then CBC and LFT every 3 months, for ever", "version": "2026-11", "digest": "a15f01f632caa18f8d757391663b22f86ede1dbadf22b5fcddcef3587f3e2b37", "status": "not yet approved by a clinician"}, "kind": "dose_reduction", "urgency": "urgent", "rule": "lymphopenia", "level": 1, "summary": "Lymphocytes 0.40 10*9/L on 12 Jan 2026: below 0.5 10*9/L", "action": "Protocol: reduce the dose of azathioprine. Prescriber to decide.", "say": ["Does not apply to steroids: never stop prednisolone suddenly."], "source": "founding brief; 0.5 and 0.2 are also CTCAE v5 grades 3 and 4", "recovered": false, "downward": true, "analyte": "lymphocytes", "analyte_title": "Lymphocytes", "unit": "10*9/L", "decimals": 2, "value": "0.4", "comparator": "", "collected_at": "2026-01-12T08:30:00+00:00", "latest_value": "0.4", "latest_comparator": "", "latest_collected_at": "2026-01-12T08:30:00+00:00", "limit": "0.5", "limit_text": "0.5 10*9/L", "series": [{"at": "2025-12-28T23:00:00+00:00", "on": "2025-12-29", "timed": false, "value": "1.2", "comparator": "", "derived": false, "no_result": "", "status": "final", "received": "1.2 10*9/L"}, {"at": "2026-01-12T08:30:00+00:00", "on": "2026-01-12", "timed": true, "value": "0.4", "comparator": "", "derived": false, "no_result": "", "status": "final", "received": "0.4 10*9/L"}], "panels": [], "held": [], "dose": {"mg_per_day": "150", "on": "2026-01-05"}, "warfarin": false, "start_confirmed": true, "enrolment_state": "active", "arithmetic": ["12 Jan 2026: received 0.4 10*9/L = 0.4 10*9/L: is below 0.5 10*9/L (level 1 of 2, final)"]}','6e49107fad03b85a',1,'0.4','2026-01-12 15:00:00.000000',0,NULL,NULL,NULL,NULL,NULL,NULL,'2026-01-13 09:00:00.000000',NULL,0,'a correction took its cause away','a15f01f632caa18f8d757391663b22f86ede1dbadf22b5fcddcef3587f3e2b37');
INSERT INTO "alerts" VALUES(2,2,'rule:neutropenia','discontinue','neutropenia','critical','open',0,'2026-01-12 15:00:00.000000','Neutrophils 0.80 10*9/L on 12 Jan 2026: below 1.0 10*9/L',2,1,'0.8','["2026-01-12T08:30:00+00:00"]','[]','{"mrn": "P2", "drug": "azathioprine", "clinic": "south", "protocol": {"id": "azathioprine", "title": "Azathioprine: CBC weekly to week 8, then CBC and LFT every 3 months, for ever", "version": "2026-11", "digest": "a15f01f632caa18f8d757391663b22f86ede1dbadf22b5fcddcef3587f3e2b37", "status": "not yet approved by a clinician"}, "kind": "discontinue", "urgency": "critical", "rule": "neutropenia", "level": 2, "summary": "Neutrophils 0.80 10*9/L on 12 Jan 2026: below 1.0 10*9/L", "action": "Protocol: discontinue azathioprine. Prescriber to decide.", "say": ["Does not apply to steroids: never stop prednisolone suddenly."], "source": "withhold: BSR 2017; discontinue: CTCAE v5 grades 3 and 4", "recovered": false, "downward": true, "analyte": "neutrophils", "analyte_title": "Neutrophils", "unit": "10*9/L", "decimals": 2, "value": "0.8", "comparator": "", "collected_at": "2026-01-12T08:30:00+00:00", "latest_value": "0.8", "latest_comparator": "", "latest_collected_at": "2026-01-12T08:30:00+00:00", "limit": "1.0", "limit_text": "1.0 10*9/L", "series": [{"at": "2025-12-28T23:00:00+00:00", "on": "2025-12-29", "timed": false, "value": "3.0", "comparator": "", "derived": false, "no_result": "", "status": "final", "received": "3.0 10*9/L"}, {"at": "2026-01-12T08:30:00+00:00", "on": "2026-01-12", "timed": true, "value": "0.8", "comparator": "", "derived": false, "no_result": "", "status": "final", "received": "0.8 10*9/L"}], "panels": [], "held": [], "dose": {"mg_per_day": "150", "on": "2026-01-05"}, "warfarin": false, "start_confirmed": true, "enrolment_state": "held", "arithmetic": ["12 Jan 2026: received 0.8 10*9/L = 0.8 10*9/L: is below 1.0 10*9/L (level 2 of 3, final)"]}','444ca7cf1ec916b1',2,'0.8','2026-01-27 07:00:00.000000',0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,'a15f01f632caa18f8d757391663b22f86ede1dbadf22b5fcddcef3587f3e2b37');
INSERT INTO "alerts" VALUES(3,1,'overdue','overdue_test',NULL,'urgent','open',0,'2026-01-27 07:00:00.000000','Complete blood count with differential seriously overdue: was due 19 Jan 2026 (last 12 Jan 2026)',0,1,NULL,'[]','[]','{"mrn": "P1", "drug": "azathioprine", "clinic": "north", "protocol": {"id": "azathioprine", "title": "Azathioprine: CBC weekly to week 8, then CBC and LFT every 3 months, for ever", "version": "2026-11", "digest": "a15f01f632caa18f8d757391663b22f86ede1dbadf22b5fcddcef3587f3e2b37", "status": "not yet approved by a clinician"}, "kind": "overdue_test", "urgency": "urgent", "rule": null, "level": 0, "summary": "Complete blood count with differential seriously overdue: was due 19 Jan 2026 (last 12 Jan 2026)", "action": "Test now: Complete blood count with differential.", "say": ["Tests are not in date: prescriber to decide on further supply."], "source": "founding brief", "recovered": false, "downward": true, "analyte": null, "analyte_title": null, "unit": null, "decimals": null, "value": null, "comparator": null, "collected_at": null, "latest_value": null, "latest_comparator": null, "latest_collected_at": null, "limit": null, "limit_text": "", "series": [], "panels": [{"panel": "cbc", "title": "Complete blood count with differential", "phase": "weekly", "due_on": "2026-01-19", "days_overdue": 8, "state": "seriously_overdue", "because": "schedule", "last_completed_on": "2026-01-12", "declared": false, "partial": []}], "held": [], "dose": {"mg_per_day": "100", "on": "2026-01-05"}, "warfarin": false, "start_confirmed": true, "enrolment_state": "active", "arithmetic": ["cbc: last completed 12 Jan 2026, due 19 Jan 2026 by schedule (phase weekly): seriously_overdue"]}','098d24062ca8728b',0,NULL,'2026-01-27 07:00:00.000000',0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,'a15f01f632caa18f8d757391663b22f86ede1dbadf22b5fcddcef3587f3e2b37');
INSERT INTO "alerts" VALUES(4,2,'overdue','overdue_test',NULL,'urgent','open',0,'2026-01-27 07:00:00.000000','Complete blood count with differential seriously overdue: was due 14 Jan 2026 (last 12 Jan 2026)',0,1,NULL,'[]','[]','{"mrn": "P2", "drug": "azathioprine", "clinic": "south", "protocol": {"id": "azathioprine", "title": "Azathioprine: CBC weekly to week 8, then CBC and LFT every 3 months, for ever", "version": "2026-11", "digest": "a15f01f632caa18f8d757391663b22f86ede1dbadf22b5fcddcef3587f3e2b37", "status": "not yet approved by a clinician"}, "kind": "overdue_test", "urgency": "urgent", "rule": null, "level": 0, "summary": "Complete blood count with differential seriously overdue: was due 14 Jan 2026 (last 12 Jan 2026)", "action": "Test now: Complete blood count with differential.", "say": ["Tests are not in date: prescriber to decide on further supply."], "source": "founding brief", "recovered": false, "downward": true, "analyte": null, "analyte_title": null, "unit": null, "decimals": null, "value": null, "comparator": null, "collected_at": null, "latest_value": null, "latest_comparator": null, "latest_collected_at": null, "limit": null, "limit_text": "", "series": [], "panels": [{"panel": "cbc", "title": "Complete blood count with differential", "phase": "weekly", "due_on": "2026-01-14", "days_overdue": 13, "state": "seriously_overdue", "because": "recheck", "last_completed_on": "2026-01-12", "declared": false, "partial": []}], "held": [], "dose": {"mg_per_day": "150", "on": "2026-01-05"}, "warfarin": false, "start_confirmed": true, "enrolment_state": "held", "arithmetic": ["cbc: last completed 12 Jan 2026, due 14 Jan 2026 by recheck (phase weekly): seriously_overdue"]}','5e77e212d831686a',0,NULL,'2026-01-27 07:00:00.000000',0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,'a15f01f632caa18f8d757391663b22f86ede1dbadf22b5fcddcef3587f3e2b37');
CREATE TABLE deliveries (
	id INTEGER NOT NULL, 
	once_key VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	recipient VARCHAR NOT NULL, 
	urgency VARCHAR NOT NULL, 
	created_at DATETIME NOT NULL, 
	for_day DATE NOT NULL, 
	message_id VARCHAR NOT NULL, 
	payload JSON NOT NULL, 
	state VARCHAR NOT NULL, 
	attempts INTEGER NOT NULL, 
	next_attempt_at DATETIME NOT NULL, 
	leased_until DATETIME, 
	leased_by VARCHAR, 
	last_error VARCHAR NOT NULL, 
	sent_at DATETIME, 
	PRIMARY KEY (id), 
	UNIQUE (once_key)
);
INSERT INTO "deliveries" VALUES(1,'alert:clinic@example.org:2:2026-01-12T15:00:00+00:00:1','alert','clinic@example.org','critical','2026-01-12 15:00:00.000000','2026-01-12','<1bfb9c4c11ef9b8280e73ec22ea1b193@localhost>','{"order": [2]}','waiting',0,'2026-01-12 15:00:00.000000',NULL,NULL,'',NULL);
INSERT INTO "deliveries" VALUES(2,'alert:clinic@example.org:1:2026-01-12T15:00:00+00:00:1','alert','clinic@example.org','urgent','2026-01-12 15:00:00.000000','2026-01-12','<c7b901d39c35960e80ac83aa3c4d87a5@localhost>','{"order": [1]}','waiting',0,'2026-01-12 15:00:00.000000',NULL,NULL,'',NULL);
INSERT INTO "deliveries" VALUES(3,'withdrawal:clinic@example.org:1:2026-01-13T09:00:00+00:00:1','withdrawal','clinic@example.org','urgent','2026-01-13 09:00:00.000000','2026-01-13','<c49b0986ce211fc4f5252941d70e4c15@localhost>','{"order": [1]}','waiting',0,'2026-01-13 09:00:00.000000',NULL,NULL,'',NULL);
INSERT INTO "deliveries" VALUES(4,'alert:clinic@example.org:2:2026-01-27T07:00:00+00:00:2','alert','clinic@example.org','critical','2026-01-27 07:00:00.000000','2026-01-27','<ceb3cef2835cb60f47b0e2116a3d0a99@localhost>','{"order": [2]}','waiting',0,'2026-01-27 07:00:00.000000',NULL,NULL,'',NULL);
INSERT INTO "deliveries" VALUES(5,'alert:clinic@example.org:3:2026-01-27T07:00:00+00:00:1','alert','clinic@example.org','urgent','2026-01-27 07:00:00.000000','2026-01-27','<236d7cb64880b572a9122085947671cc@localhost>','{"order": [3, 4]}','waiting',0,'2026-01-27 07:00:00.000000',NULL,NULL,'',NULL);
CREATE TABLE delivery_alerts (
	delivery_id INTEGER NOT NULL, 
	alert_id INTEGER NOT NULL, 
	what VARCHAR NOT NULL, 
	reason VARCHAR NOT NULL, 
	PRIMARY KEY (delivery_id, alert_id), 
	FOREIGN KEY(delivery_id) REFERENCES deliveries (id), 
	FOREIGN KEY(alert_id) REFERENCES alerts (id)
);
INSERT INTO "delivery_alerts" VALUES(1,2,'opened','Neutrophils 0.80 10*9/L on 12 Jan 2026: below 1.0 10*9/L');
INSERT INTO "delivery_alerts" VALUES(2,1,'opened','Lymphocytes 0.40 10*9/L on 12 Jan 2026: below 0.5 10*9/L');
INSERT INTO "delivery_alerts" VALUES(3,1,'withdrawn','a correction took its cause away');
INSERT INTO "delivery_alerts" VALUES(4,2,'acknowledgement expired','the acknowledgement has run out');
INSERT INTO "delivery_alerts" VALUES(5,3,'opened','Complete blood count with differential seriously overdue: was due 19 Jan 2026 (last 12 Jan 2026)');
INSERT INTO "delivery_alerts" VALUES(5,4,'opened','Complete blood count with differential seriously overdue: was due 14 Jan 2026 (last 12 Jan 2026)');
CREATE TABLE enrolments (
	id INTEGER NOT NULL, 
	patient_id INTEGER NOT NULL, 
	drug VARCHAR NOT NULL, 
	protocol_id VARCHAR NOT NULL, 
	indication VARCHAR NOT NULL, 
	clinic VARCHAR NOT NULL, 
	started_on DATE NOT NULL, 
	enrolled_on DATE NOT NULL, 
	enrolled_at DATETIME NOT NULL, 
	dose_mg_per_day VARCHAR, 
	weight_kg VARCHAR, 
	tpmt VARCHAR NOT NULL, 
	nudt15 VARCHAR NOT NULL, 
	last_tested_on DATE, 
	next_review_at DATETIME, 
	PRIMARY KEY (id), 
	FOREIGN KEY(patient_id) REFERENCES patients (id)
);
INSERT INTO "enrolments" VALUES(1,1,'azathioprine','azathioprine','','north','2026-01-05','2026-01-05','2026-01-04 23:00:00.000000','100','70','normal','normal',NULL,'2026-01-29 23:00:00.000000');
INSERT INTO "enrolments" VALUES(2,2,'azathioprine','azathioprine','','south','2026-01-05','2026-01-05','2026-01-04 23:00:00.000000','150','80','normal','normal',NULL,'2026-01-29 23:00:00.000000');
CREATE TABLE events (
	id INTEGER NOT NULL, 
	patient_id INTEGER NOT NULL, 
	enrolment_id INTEGER, 
	"on" DATE NOT NULL, 
	event VARCHAR NOT NULL, 
	value VARCHAR NOT NULL, 
	drug VARCHAR NOT NULL, 
	note VARCHAR NOT NULL, 
	received_at DATETIME NOT NULL, 
	file_id INTEGER NOT NULL, 
	line INTEGER NOT NULL, 
	withdrawn BOOLEAN NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(patient_id) REFERENCES patients (id), 
	FOREIGN KEY(enrolment_id) REFERENCES enrolments (id), 
	FOREIGN KEY(file_id) REFERENCES files (id)
);
INSERT INTO "events" VALUES(1,2,2,'2026-01-13','hold','2026-01-20','','neutropenia','2026-01-13 07:00:00.000000',4,2,0);
CREATE TABLE facts (
	name VARCHAR NOT NULL, 
	value VARCHAR NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "facts" VALUES('intake','2026-01-13T09:00:00+00:00');
INSERT INTO "facts" VALUES('brought_to','2026-01-27T07:00:00.000000+00:00');
INSERT INTO "facts" VALUES('installation','9629ea7f7fd8');
CREATE TABLE files (
	id INTEGER NOT NULL, 
	kind VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	sha256 VARCHAR NOT NULL, 
	source VARCHAR NOT NULL, 
	received_at DATETIME NOT NULL, 
	rows INTEGER NOT NULL, 
	stored INTEGER NOT NULL, 
	duplicate INTEGER NOT NULL, 
	superseded INTEGER NOT NULL, 
	withdrawn INTEGER NOT NULL, 
	quarantined INTEGER NOT NULL, 
	ignored INTEGER NOT NULL, 
	other_messages INTEGER NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "files" VALUES(1,'enrol','people.csv','6311b564533f9b8c85b68ddc63389c462b4495c98eaebdbe109e4bf42b9b0e76','','2026-01-04 23:00:00.000000',2,2,0,0,0,0,0,0);
INSERT INTO "files" VALUES(2,'results','base.csv','803a9da18ea4fed64a079392af4ad891d26b4e1d7040f96a5c16cda4ec6d0070','','2026-01-05 08:00:00.000000',14,14,0,0,0,0,0,0);
INSERT INTO "files" VALUES(3,'results','week1.csv','5de2ff45990ad209a78a886ebc2669d1874dd663000b1e7057c38a6687bc2bd0','','2026-01-12 15:00:00.000000',11,10,0,0,0,1,0,0);
INSERT INTO "files" VALUES(4,'events','events.csv','4f9025f3099cf68e083d2fca56932be08329dab2dfe1d677bea4ec8681a4e8c1','','2026-01-13 07:00:00.000000',1,1,0,0,0,0,0,0);
INSERT INTO "files" VALUES(5,'results','fix.csv','84833859f7c72a80b03f98eaa00b82c1cfefe5dec147a67dee301f03d7ab5cca','','2026-01-13 09:00:00.000000',1,0,0,1,0,0,0,0);
CREATE TABLE job_runs (
	name VARCHAR NOT NULL, 
	started_at DATETIME NOT NULL, 
	finished_at DATETIME, 
	error VARCHAR NOT NULL, 
	PRIMARY KEY (name)
);
CREATE TABLE patients (
	id INTEGER NOT NULL, 
	mrn VARCHAR NOT NULL, 
	mrn_key VARCHAR NOT NULL, 
	mrn_loose VARCHAR NOT NULL, 
	family_name VARCHAR NOT NULL, 
	given_name VARCHAR NOT NULL, 
	birth_date DATE, 
	sex VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (mrn_key)
);
INSERT INTO "patients" VALUES(1,'P1','p1','p1','Doe','Ann','1980-02-03','');
INSERT INTO "patients" VALUES(2,'P2','p2','p2','Roe','Ben','1975-07-01','');
CREATE TABLE protocol_texts (
	id INTEGER NOT NULL, 
	protocol_id VARCHAR NOT NULL, 
	digest VARCHAR NOT NULL, 
	text VARCHAR NOT NULL, 
	applied_at DATETIME NOT NULL, 
	applied_by VARCHAR NOT NULL, 
	reason VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "protocol_texts" VALUES(1,'analytes','02b615427a3c9aadf5325bcb75e690b3f06fc934d629882e43097f1e7260d39a','# What laboratories measure, how they name it, and what their units are worth.
#
# A clinical admin may edit this file. It is read strictly: an unknown key, a name or LOINC
# code given to two analytes, or a factor that is no number is an error that says what would
# be valid, and the last good text stays in force.
#
# One table an analyte, named by our own name (the one protocols and result files use):
#   title       as shown in mails
#   unit        canonical unit: every value is converted to it, every limit is written in it
#   decimals    digits shown; limits are compared with the exact value, never the shown one
#   plausible   [low, high] in the canonical unit. Above high a result waits in quarantine
#               with the likely unit mistake named. Below low it is judged and doubted.
#               Low counts are never implausible: their lower bound is 0.
#   names       what laboratories call it, compared without case, space, hyphen, underscore,
#               comma, dot and brackets
#   percent     of a count: the analyte that is the same in percent of the white cells
#   percent_of  of a percentage: the count that follows from it and the white cells
#   adds_to     of a percentage: it only adds to another one, and gives no count alone
# and below it one or more kinds of quantity (number, activity, mass, substance ...):
#   loinc       codes of that kind; such a code with a unit of another kind is quarantined
#   table       a shared table of units, see below, and / or
#   units       unit = factor: canonical value = reported value x factor, in exact decimals
#   names       names that settle a unit which two kinds share (mg/dL of urea)
#
# Units need to stand here once, in any spelling: case, spaces, brackets, micro signs,
# "per", x10^3 = 10E3 = 10*3 = 10(3) = 1000 and l-1 = /l are alike, and the words of
# [unit_words] are replaced first. A unit that is not in the table is refused.
#
# Sources: names, codes, factors and ranges were collected for this project (LOINC 2.67 and
# UCUM tables of the LHNCBC; printed conversion tables). Plausible ranges are general
# knowledge, set wide for adults without leukaemia, unverified.
# This file contains LOINC codes (https://loinc.org), copyright Regenstrief Institute, Inc.
# and the LOINC Committee, available at no cost under https://loinc.org/license.

# ------------------------------------------------------------------ how units are written

[unit_words]
# meaning = what laboratories write for it. "mil" is left out on purpose: thousand in
# Spanish, million in American laboratories. So are M, m, mill and mio for cells: red cells.
"10*3" = [
  "K", "th", "ths", "tho", "thou", "thous", "thousand", "thousands", "tsd", "tausend",
  "tys", "тыс", "miles", "milhares", "mille", "migliaia", "千",
]
"10*4" = ["万", "萬"]
"10*5" = ["lakh", "lakhs", "lac", "lacs"]
"10*9" = ["giga", "gi", "gpt", "gpkt", "mrd", "milliarden", "billion", "billions"]
ul = [
  "mcL", "uL", "microL", "microliter", "microliters", "microlitre", "microlitres",
  "mikroliter", "mkl", "мкл", "cumm", "cmm", "mmc", "mm3", "cu mm", "mm cu", "c mm",
  "cubic mm", "cubic millimeter", "cubic millimetre",
]
nl = ["nanoliter", "nanolitre"]
ml = ["milliliter", "milliliters", "millilitre", "millilitres", "мл"]
dl = ["deciliter", "deciliters", "decilitre", "decilitres", "дл"]
l = ["liter", "liters", "litre", "litres", "ltr", "lt", "л"]
g = ["gm", "gms", "gr", "gram", "grams", "gramm", "г"]
mg = ["mgs", "mgm", "milligram", "milligrams", "milligramm", "мг"]
ug = ["mcg", "microgram", "micrograms", "мкг"]
kg = ["kgs", "kilo", "kilogram", "kilograms", "кг"]
lb = ["lbs", "pound", "pounds", "lb av"]
umol = ["mcmol", "mcmoles", "micromol", "micromole", "micromoles", "mikromol", "umoles", "umole", "мкмоль"]
mmol = ["mmoles", "mmole", "millimol", "millimole", "millimoles", "ммоль"]
u = ["unit", "units", "iu", "ui", "ie", "int unit", "int units", "einheiten", "ед"]
fl = ["um3", "u3", "femtoliter", "femtoliters", "femtolitre", "femtolitres", "cu um", "cu micron", "cu microns", "cubic micron", "cubic microns", "фл"]
ukat = ["mckat", "microkat", "mikrokat"]
min = ["mn", "minute", "мин"]
m2 = ["sqm", "sq m", "qm"]
rbc = ["rbcs", "erythrocytes", "red cells", "ery"]
wbc = ["wbcs", "leukocytes", "leucocytes", "white cells"]
"%" = ["percent", "per cent", "pct", "prozent", "procent", "pourcent"]
"/" = ["per", "pro", "par"]
# Words that say nothing about the size of the unit.
"" = ["cells", "cell", "#", "count", "zellen", "cellules", "celulas", "células", "cel", "клеток"]

# A whole unit written without its slash.
"umol/l" = ["umoll"]
"mmol/l" = ["mmoll"]
"ml/min" = ["mlmin"]

# --------------------------------------------------------- units shared by several analytes

[unit_tables.cells]                 # canonical: 10*9/L
"10*9/L" = 1
"10*3/uL" = 1                       # = K/uL, thou/cumm, x10E3/mcL ...
"10*6/mL" = 1
"/nL" = 1
"G/L" = 1                           # giga, never gram or gauss, where cells are counted
"/uL" = 0.001                       # = cells/mm3, /cumm
"10*6/L" = 0.001
"10*2/uL" = 0.1                     # Japan
"10*4/uL" = 10                      # East Asia
"10*5/uL" = 100                     # lakh: South Asia
"10*3" = 1                          # "X 10 3": thousands are always told per microlitre
"10*9" = 1                          # "x10^9": always per litre
"103/uL" = 1                        # the exponent lost its height
"109/L" = 1
"10-9/L" = 1                        # British EDIFACT messages write X 10-9/l and mean 10*9
"10*9U/L" = 1

[unit_tables.percent]               # canonical: %
"%" = 1
"% WBC" = 1
"/100 WBC" = 1
"% of WBC" = 1
"fraction" = 100
"fraction of WBC" = 100

[unit_tables.enzyme]                # canonical: U/L
"U/L" = 1                           # = IU/L, [IU]/L, units/L, UI/L
"E/L" = 1                           # German: Einheiten
"mU/mL" = 1
"U/mL" = 1000
"ukat/L" = 60
"nkat/L" = 0.06

[unit_tables.substance]             # canonical: umol/L
"umol/L" = 1
"uM" = 1
"nmol/mL" = 1
"mmol/L" = 1000

# ------------------------------------------------------- percent or count, said in the name

[name_marks]
# Words around the name of a white cell. With a name of a count, a percent mark makes it the
# percentage; the unit still decides against both.
percent = ["%", "percent", "pct", "percentage", "per", "relative", "rel", "fraction", "/100 WBC", "/100 leukocytes", "/leukocytes"]
absolute = ["#", "abs", "absolute", "absolut", "count", "number"]

# ------------------------------------------------------------------------------ white cells

[analytes.white_cells]
title = "White cells"
unit = "10*9/L"
decimals = 2
plausible = [0, 100]
names = [
  "WBC", "White blood cell count", "WCC", "leukocytes", "leucocytes", "white cell count",
  "total white cells", "white count", "white blood cells", "white blood cell", "WBC count",
  "WBCs", "white blood count", "white blood cell (WBC) count", "total white cell count", "total WBC", "total leucocyte count",
  "total leukocyte count", "TLC", "WBC x 1000", "leukozyten", "leukos", "leucocitos",
  "leucócitos", "leucocytes totaux", "leukocyte count", "leucocyte count",
]
[analytes.white_cells.number]
loinc = ["6690-2", "26464-8", "804-5"]
table = "cells"

[analytes.neutrophils]
title = "Neutrophils"
unit = "10*9/L"
decimals = 2
plausible = [0, 80]
percent = "neutrophils_percent"
names = [
  "ANC", "Neutrophils absolute", "neutrophil count", "absolute neutrophil count", "neut",
  "neuts", "PMN", "polymorphs", "granulocytes abs", "neutrophil", "neutros", "polys",
  "neutrophile", "neutrophile granulozyten", "neutrófilos", "neutrofilos",
  "polynucléaires neutrophiles",
]
[analytes.neutrophils.number]
loinc = ["751-8", "26499-4", "753-4"]
table = "cells"

[analytes.lymphocytes]
title = "Lymphocytes"
unit = "10*9/L"
decimals = 2
plausible = [0, 30]
percent = "lymphocytes_percent"
names = [
  "ALC", "Lymphocytes absolute", "lymphocyte count", "absolute lymphocyte count", "lymphs",
  "lymph abs", "lymph", "lympho", "lymphocyte", "LYM", "lymphozyten", "linfocitos",
  "linfócitos",
]
[analytes.lymphocytes.number]
loinc = ["731-0", "26474-7", "732-8"]
table = "cells"

[analytes.eosinophils]
title = "Eosinophils"
unit = "10*9/L"
decimals = 2
plausible = [0, 30]
percent = "eosinophils_percent"
names = [
  "EOS", "EO", "Eosinophils absolute", "eosinophil count", "eos abs", "eosinophil",
  "absolute eosinophil count", "AEC", "eosin", "eosinophile", "eosinofilos", "eosinófilos",
]
[analytes.eosinophils.number]
loinc = ["711-2", "26449-9", "712-0"]
table = "cells"

[analytes.monocytes]
title = "Monocytes"
unit = "10*9/L"
decimals = 2
plausible = [0, 20]
percent = "monocytes_percent"
names = [
  "MONO", "Monocytes absolute", "monocyte count", "mono abs", "monos", "monocyte",
  "absolute monocyte count", "monozyten", "monocitos", "monócitos",
]
[analytes.monocytes.number]
loinc = ["742-7", "26484-6"]
table = "cells"

[analytes.basophils]
title = "Basophils"
unit = "10*9/L"
decimals = 2
plausible = [0, 20]
percent = "basophils_percent"
names = ["BASO", "Basophils absolute", "basophil count", "basos", "basophil", "basophile", "basofilos", "basófilos"]
[analytes.basophils.number]
loinc = ["704-7", "26444-0"]
table = "cells"

[analytes.bands]
title = "Band neutrophils"
unit = "10*9/L"
decimals = 2
plausible = [0, 80]
percent = "bands_percent"
names = ["BAND", "band neutrophils", "band forms", "band cells", "stab cells", "stabs", "stabkernige"]
[analytes.bands.number]
loinc = ["763-3", "26507-4"]
table = "cells"

# ----------------------------------------------------------- differential, percent of white cells

[analytes.neutrophils_percent]
title = "Neutrophils, percent"
unit = "%"
decimals = 1
plausible = [0, 100]
percent_of = "neutrophils"
names = [
  "NEUT_PCT", "Neutrophils percent of leukocytes", "neutrophils %", "neut %", "segs %",
  "segs", "seg neutrophils", "segmented neutrophils", "segmentkernige", "NEUTLE",
]
[analytes.neutrophils_percent.share]
loinc = ["770-8", "26511-6", "769-0", "23761-0"]
table = "percent"

[analytes.bands_percent]
title = "Band neutrophils, percent"
unit = "%"
decimals = 1
plausible = [0, 100]
percent_of = "neutrophils"
adds_to = "neutrophils_percent"
names = ["bands %", "band neutrophils %"]
[analytes.bands_percent.share]
loinc = ["26508-2", "764-1"]
table = "percent"

[analytes.lymphocytes_percent]
title = "Lymphocytes, percent"
unit = "%"
decimals = 1
plausible = [0, 100]
percent_of = "lymphocytes"
names = ["LYMPH_PCT", "Lymphocytes percent of leukocytes", "lymphocytes %", "lymph %", "LY %", "LYMLE"]
[analytes.lymphocytes_percent.share]
loinc = ["736-9", "26478-8"]
table = "percent"

[analytes.eosinophils_percent]
title = "Eosinophils, percent"
unit = "%"
decimals = 1
plausible = [0, 100]
percent_of = "eosinophils"
names = ["EOS_PCT", "Eosinophils percent of leukocytes", "eosinophils %", "eos %", "EOSLE"]
[analytes.eosinophils_percent.share]
loinc = ["713-8", "26450-7"]
table = "percent"

[analytes.monocytes_percent]
title = "Monocytes, percent"
unit = "%"
decimals = 1
plausible = [0, 100]
percent_of = "monocytes"
names = ["MONO_PCT", "Monocytes percent of leukocytes", "monocytes %", "mono %", "MONOLE"]
[analytes.monocytes_percent.share]
loinc = ["5905-5", "26485-3"]
table = "percent"

[analytes.basophils_percent]
title = "Basophils, percent"
unit = "%"
decimals = 1
plausible = [0, 100]
percent_of = "basophils"
names = ["BASO_PCT", "Basophils percent of leukocytes", "basophils %", "baso %", "BASOLE"]
[analytes.basophils_percent.share]
loinc = ["706-2", "30180-4"]
table = "percent"

# ------------------------------------------------------------------ platelets and red cells

[analytes.platelets]
title = "Platelets"
unit = "10*9/L"
decimals = 0
plausible = [0, 2500]
names = [
  "PLT", "Platelet count", "thrombocytes", "plts", "PLT count", "platelet", "plat",
  "platelets x 1000", "platelet (PLT) count", "thrombozyten", "thrombos", "thrombocyte count",
  "plaquetas", "plaquettes", "piastrine",
]
[analytes.platelets.number]
loinc = ["777-3", "26515-7", "778-1"]
table = "cells"

[analytes.hemoglobin]
title = "Haemoglobin"
unit = "g/L"
decimals = 0
plausible = [20, 260]
names = [
  "HGB", "Haemoglobin", "Hb", "haemoglobin (Hb)", "hemoglobin (Hb)", "hämoglobin",
  "hémoglobine", "emoglobina",      # not "hemoglobina": compared like "Hemoglobin A"
]
[analytes.hemoglobin.mass]
loinc = ["718-7", "20509-6"]
[analytes.hemoglobin.mass.units]
"g/L" = 1
"g/dL" = 10
"g%" = 10
"g/100 mL" = 10
[analytes.hemoglobin.substance]     # of the monomer (Fe)
loinc = ["59260-0"]
[analytes.hemoglobin.substance.units]
"mmol/L" = 16.114

[analytes.mcv]
title = "Mean corpuscular volume"
unit = "fL"
decimals = 1
plausible = [45, 160]
names = [
  "MCV", "mean cell volume", "erythrocyte mean corpuscular volume", "RBC MCV",
  "Mean corpuscular volume", "mean cell volume (MCV)", "Ery. Mean Corpuscular Volume", "VGM", "VCM",
]
[analytes.mcv.volume]
loinc = ["787-2", "30428-7"]
[analytes.mcv.volume.units]
"fL" = 1                            # = um3, u3
"f/L" = 1                           # seen in British messages

# ------------------------------------------------------------------------------------ liver

[analytes.alt]
title = "ALT"
unit = "U/L"
decimals = 0
plausible = [1, 30000]
names = [
  "ALT", "Alanine aminotransferase", "ALAT", "SGPT", "GPT", "alanine transaminase", "ALT (SGPT)",
  "SGPT (ALT)", "ALT/SGPT", "SGPT/ALT", "Alanine Aminotransferase (ALT)", "TGP", "alanin aminotransferase",
]
[analytes.alt.activity]
loinc = ["1742-6", "1743-4", "1744-2"]
table = "enzyme"

[analytes.ast]
title = "AST"
unit = "U/L"
decimals = 0
plausible = [1, 30000]
names = [
  "AST", "Aspartate aminotransferase", "ASAT", "SGOT", "GOT", "aspartate transaminase", "AST (SGOT)",
  "SGOT (AST)", "AST/SGOT", "SGOT/AST", "Aspartate Aminotransferase (AST)",
  "Asparate Aminotransferase (AST)", "TGO", "aspartat aminotransferase",
]
[analytes.ast.activity]
loinc = ["1920-8", "30239-8"]
table = "enzyme"

[analytes.alp]
title = "Alkaline phosphatase"
unit = "U/L"
decimals = 0
plausible = [5, 10000]
names = ["ALP", "Alkaline phosphatase", "Alk Phos", "alkaline phos", "AP", "alkaline phos.", "ALKP", "ALKPHOS", "alkalische phosphatase"]
[analytes.alp.activity]
loinc = ["6768-6"]
table = "enzyme"

[analytes.ggt]
title = "Gamma-GT"
unit = "U/L"
decimals = 0
plausible = [1, 10000]
names = [
  "GGT", "Gamma glutamyl transferase", "gamma GT", "GGTP", "gamma-glutamyltransferase", "GT",
  "gamma glutamyl transpeptidase", "gamma glutamyltranspeptidase", "γ-GT",
]
[analytes.ggt.activity]
loinc = ["2324-2"]
table = "enzyme"

[analytes.bilirubin]
title = "Bilirubin"
unit = "umol/L"
decimals = 0
plausible = [1, 1200]
names = [
  "TBIL", "Bilirubin total", "bilirubin", "total bilirubin", "T bili", "serum bilirubin", "BILI",
  "TBILI", "bilirubin gesamt", "gesamtbilirubin", "bilirubina total", "bilirubine totale",
]
[analytes.bilirubin.substance]
loinc = ["14631-6"]
table = "substance"
[analytes.bilirubin.mass]
loinc = ["1975-2"]
[analytes.bilirubin.mass.units]
"mg/dL" = 17.104
"mg%" = 17.104
"mg/L" = 1.7104

[analytes.bilirubin_direct]
title = "Direct bilirubin"
unit = "umol/L"
decimals = 0
plausible = [0, 900]
names = ["DBIL", "Bilirubin direct", "conjugated bilirubin", "direct bilirubin", "D bili", "conj bili", "bilirubin conjugated", "bilirubin direkt"]
[analytes.bilirubin_direct.substance]
loinc = ["14629-0"]
table = "substance"
[analytes.bilirubin_direct.mass]
loinc = ["1968-7"]
[analytes.bilirubin_direct.mass.units]
"mg/dL" = 17.104
"mg%" = 17.104
"mg/L" = 1.7104

[analytes.albumin]
title = "Albumin"
unit = "g/L"
decimals = 0
plausible = [8, 65]
names = ["ALB", "Albumin", "serum albumin", "albumin serum", "albumina"]
[analytes.albumin.mass]
loinc = ["1751-7", "61151-7"]
[analytes.albumin.mass.units]
"g/L" = 1
"g/dL" = 10
"g%" = 10
"g/100 mL" = 10
[analytes.albumin.substance]
loinc = ["54347-0"]
[analytes.albumin.substance.units]
"umol/L" = 0.06646

[analytes.bile_acids]
title = "Bile acids (pregnancy only)"
unit = "umol/L"
decimals = 0
plausible = [0, 600]
names = ["BILE_ACID", "Bile acids total", "total bile acids", "serum bile acids", "TBA", "Bile acids total (pregnancy only)"]
[analytes.bile_acids.substance]
loinc = ["14628-2"]
table = "substance"

# ----------------------------------------------------------------- kidney, pancreas, others

[analytes.creatinine]
title = "Creatinine"
unit = "umol/L"
decimals = 0
plausible = [15, 3500]
names = ["CREA", "Creatinine", "serum creatinine", "creat", "Cr", "SCr", "creatinine serum", "kreatinin", "creatinina", "créatinine"]
[analytes.creatinine.substance]
loinc = ["14682-9", "59826-8"]
table = "substance"
[analytes.creatinine.mass]
loinc = ["2160-0", "38483-4"]
[analytes.creatinine.mass.units]
"mg/dL" = 88.42
"mg%" = 88.42
"mg/L" = 8.842

[analytes.egfr]
title = "eGFR"
unit = "mL/min/{1.73_m2}"
decimals = 0
plausible = [1, 200]
names = [
  "EGFR", "eGFR (adult, creatinine based)", "estimated GFR", "GFR", "eGFRcr", "CKD-EPI", "MDRD",
  "eGFR (MDRD)", "eGFR (CKD-EPI)", "estimated GFR (MDRD equation)", "MDRDgfr", "estimated glomerular filtration rate",
]
[analytes.egfr.rate]
loinc = ["98979-8", "62238-1", "33914-3", "48642-3"]
[analytes.egfr.rate.units]
"mL/min/1.73m2" = 1
"mL/min/1.73" = 1
"mL.min-1.1,73m-2" = 1
"mL/min" = 1                        # shorthand: an eGFR is always for 1.73 m2
"mL/s/1.73m2" = 60
"mL/s" = 60

[analytes.urea]
title = "Urea"
unit = "mmol/L"
decimals = 1
plausible = [0.3, 100]
names = ["Urea", "serum urea", "urea serum", "harnstoff", "urée"]
[analytes.urea.substance]
loinc = ["22664-7", "14937-7"]
[analytes.urea.substance.units]
"mmol/L" = 1
[analytes.urea.nitrogen]            # mg/dL of the nitrogen: the American BUN
names = ["BUN", "blood urea nitrogen", "urea nitrogen", "harnstoff-N"]
loinc = ["3094-0", "6299-2"]
[analytes.urea.nitrogen.units]
"mg/dL" = 0.357
"mg/dL{BUN}" = 0.357
[analytes.urea.mass]                # mg/dL of the whole molecule
[analytes.urea.mass.units]
"mg/dL" = 0.1665
"mg/dL{urea}" = 0.1665

[analytes.crp]
title = "CRP"
unit = "mg/L"
decimals = 0
plausible = [0, 700]
names = ["CRP", "C reactive protein", "C-reactive protein", "hs-CRP", "CRP quantitative"]
[analytes.crp.mass]
loinc = ["1988-5", "30522-7"]
[analytes.crp.mass.units]
"mg/L" = 1
"mg/dL" = 10
"mg%" = 10
"ug/mL" = 1

[analytes.igg]
title = "IgG"
unit = "g/L"
decimals = 1
plausible = [0.2, 100]
names = ["IGG", "Immunoglobulin G", "immunoglobulin G total", "IgG total"]
[analytes.igg.mass]
loinc = ["2465-3"]
[analytes.igg.mass.units]
"g/L" = 1
"mg/mL" = 1
"mg/dL" = 0.01
"mg/L" = 0.001
"g/dL" = 10

[analytes.inr]
title = "INR"
unit = "{INR}"
decimals = 1
plausible = [0.5, 20]
names = ["INR", "International normalised ratio", "International normalized ratio", "PT INR", "INR (PT)", "prothrombin INR"]
[analytes.inr.ratio]
loinc = ["6301-6", "34714-6"]
[analytes.inr.ratio.units]
"{INR}" = 1
"1" = 1
"ratio" = 1
"" = 1                              # a ratio has no unit to miss

[analytes.amylase]
title = "Amylase"
unit = "U/L"
decimals = 0
plausible = [1, 20000]
names = ["AMYL", "Amylase", "serum amylase", "total amylase"]
[analytes.amylase.activity]
loinc = ["1798-8"]
table = "enzyme"

[analytes.lipase]
title = "Lipase"
unit = "U/L"
decimals = 0
plausible = [1, 30000]
names = ["LIP", "Lipase", "serum lipase"]
[analytes.lipase.activity]
loinc = ["3040-3"]
table = "enzyme"

[analytes.weight]
title = "Body weight"
unit = "kg"
decimals = 1
plausible = [2, 350]
names = ["WEIGHT", "Body weight", "body mass", "wt"]
[analytes.weight.mass]
loinc = ["29463-7"]
[analytes.weight.mass.units]
"kg" = 1
"g" = 0.001
"lb" = 0.45359237                   # = [lb_av]

# ----------------------------------------------------------- thiopurine metabolites and TPMT

[analytes.tgn]
title = "6-TGN (red cell)"
unit = "pmol/(8.10*8{RBC})"
decimals = 0
plausible = [0, 5000]
names = ["TGN6", "6-thioguanine nucleotides (red cell)", "6-TGN", "TGN", "6-TG", "6TG", "thioguanine nucleotides", "6-thioguanine nucleotides"]
[analytes.tgn.amount]
loinc = ["32660-3"]
[analytes.tgn.amount.units]
"pmol/8x10^8 RBC" = 1
"pmol/8x10^8" = 1
"pmol/10*8{RBC}" = 8                # the unit of the LOINC code: eight times fewer cells
"pmol/10*8" = 8

[analytes.mmp]
title = "6-MMP (red cell)"
unit = "pmol/(8.10*8{RBC})"
decimals = 0
plausible = [0, 100000]
names = [
  "MMP6", "6-methylmercaptopurine (red cell)", "6-MMP", "MMP", "MeMP", "6-MMPN",
  "methylmercaptopurine nucleotides", "6-methylmercaptopurine",
]
[analytes.mmp.amount]
loinc = ["32654-6"]
[analytes.mmp.amount.units]
"pmol/8x10^8 RBC" = 1
"pmol/8x10^8" = 1
"pmol/10*8{RBC}" = 8
"pmol/10*8" = 8

[analytes.tpmt_activity]
title = "TPMT activity (assay specific)"
unit = "pmol/h/mg{Hb}"
decimals = 1
plausible = [0, 300]
names = [
  "TPMT_ACT", "TPMT enzyme activity (red cell, assay specific)", "TPMT activity",
  "thiopurine methyltransferase activity", "TPMT phenotype assay", "TPMT enzyme activity",
]
[analytes.tpmt_activity.activity]
loinc = ["43421-7"]
[analytes.tpmt_activity.activity.units]
"pmol/h/mg{Hb}" = 1
"pmol/mg Hb/h" = 1
"nmol/h/g{Hb}" = 1
"nmol/g Hb/h" = 1

# ------------------------------------------------------------------- texts instead of a number

[no_result]
# The laboratory gave no result: stored as such, completes and breaches nothing, and asks for
# a recall. A text counts when it is made of these and of the fillers alone, compared without
# case, accents and punctuation. Anything else that is no number waits in quarantine.
texts = [
  # the sample
  "clotted", "clot", "clots", "clots present", "clot detected", "clot found", "coagulated",
  "haemolysed", "hemolysed", "haemolyzed", "hemolyzed", "haemolysis", "hemolysis",
  "haemolytic", "hemolytic", "lipaemic", "lipemic", "lipaemia", "lipemia",
  "icteric", "insufficient", "quantity not sufficient", "quantity insufficient", "not sufficient", "QNS",
  "insuff", "short sample", "underfilled", "under filled", "overfilled", "empty tube",
  "no sample", "no specimen", "sample not received", "specimen not received", "not received",
  "missing", "lost", "lost in transit", "broken", "broken in transit", "leaked", "spilled",
  "contaminated", "diluted", "drip arm", "unsuitable", "unsatisfactory", "unlabelled",
  "unlabeled", "mislabelled", "mislabeled", "labelling error", "labeling error",
  "wrong tube", "wrong container", "incorrect tube", "wrong sample", "wrong specimen",
  "too old", "aged", "old", "sample too old", "delayed", "delay in transit", "expired",
  "stability exceeded", "platelet clumps", "platelets clumped", "clumped", "clumps",
  "platelet clumping", "aggregates", "platelet aggregates", "fibrin", "fibrin strands",
  "sample not usable", "not usable", "unusable", "not suitable",
  # the test
  "unable to report", "unable to perform", "unable to process", "unable to analyse",
  "unable to analyze", "unable to test", "unable to calculate", "unable to determine",
  "unable to count", "unable to estimate", "unable to quantitate", "unable to obtain",
  "unable to run", "cannot report", "cannot be reported", "cannot be determined",
  "cannot be calculated", "not reported", "not resulted", "not reportable", "unreportable", "no result",
  "no result available", "result not available", "not available", "unavailable", "N/A",
  "not done", "not performed", "not tested", "not analysed", "not analyzed", "not assayed",
  "not measured", "not calculated", "not determined", "not processed", "test not performed",
  "test not done", "cancelled", "canceled", "cancelled by lab", "cancelled by laboratory",
  "test cancelled", "test canceled", "cancel", "rejected", "void", "voided", "aborted",
  "failed", "test failed", "assay failed", "analysis failed", "technical error", "error",
  "computer network failure", "computer failure", "analyser error", "analyzer error", "instrument error", "invalid", "invalid result",
  "interference", "assay interference", "TNP", "DNR", "see comment", "see comments", "see note",
  "see notes", "see text", "see below",
  # German
  "geronnen", "koaguliert", "hämolytisch", "haemolytisch", "hämolyse", "hämolysiert",
  "lipämisch", "ikterisch", "zu wenig material", "material reicht nicht", "nicht ausreichend",
  "unzureichend", "probe fehlt", "material fehlt", "kein material", "keine probe", "fehlt",
  "nicht eingegangen", "nicht auswertbar", "nicht verwertbar", "nicht messbar",
  "nicht bestimmbar", "nicht bestimmt", "nicht durchgeführt", "nicht durchführbar",
  "nicht berechenbar", "storniert", "siehe kommentar", "s. kommentar", "siehe befund",
  "siehe bemerkung", "thrombozytenaggregate", "aggregate", "entfällt", "verworfen",
  # French, Spanish, Italian, Dutch, Portuguese
  "coagulé", "hémolysé", "insuffisant", "quantité insuffisante", "non fait", "non réalisé",
  "annulé", "voir commentaire", "coagulado", "coagulada", "hemolizado", "hemolizada",
  "hemolisado", "hemolisada", "muestra insuficiente", "insuficiente", "no realizado",
  "anulado", "cancelado", "ver comentario", "não realizado", "coagulato", "emolizzato",
  "insufficiente", "non eseguito", "annullato", "gestold", "gehemolyseerd",
  "onvoldoende materiaal", "niet uitgevoerd", "geannuleerd",
]
fillers = [
  "sample", "specimen", "blood", "tube", "test", "result", "the", "is", "was", "this", "a", "an",
  "grossly", "slightly", "moderately", "partially", "severely", "markedly", "gross", "to", "due",
  "because", "of", "and", "for", "test", "analysis", "volume", "quantity", "material", "please",
  "repeat", "recollect", "resend", "re", "send", "new", "redraw", "recollection", "requested",
  "needed", "required", "lab", "laboratory", "probe", "blut", "bitte", "wiederholen", "neue",
  "einsenden", "um", "wird", "gebeten", "stark", "leicht", "teilweise", "probenmaterial",
  "échantillon", "muestra", "amostra", "campione", "monster", "EDTA", "serum", "plasma",
]
# Announced, not yet there: the row is ignored as a placeholder.
pending = [
  "pending", "result pending", "results pending", "to follow", "result to follow",
  "in progress", "in process", "in lab", "being processed", "received in lab", "registered",
  "ordered", "scheduled", "not asked", "not requested", "not ordered", "awaited", "awaiting result", "tba", "tbd",
  "folgt", "wert folgt", "ergebnis folgt", "in arbeit", "in bearbeitung", "ausstehend",
  "steht aus", "nicht angefordert", "en cours", "en attente", "pendiente", "en proceso",
  "in corso", "pendente", "volgt",
]

# ----------------------------------------------------------- comments that doubt the number

[doubt]
# The alert stands, and says "sample doubtful: repeat today before acting". A doubt that the
# comment denies ("no clumps seen", "not haemolysed") is none.
denied_before = ["no", "not", "non", "without", "negative for", "free of", "absence of", "kein", "keine", "keinen", "nicht", "ohne", "sans", "sin", "senza", "sem"]
denied_after = ["not seen", "not present", "not detected", "not observed", "absent", "none", "nil", "excluded", "ruled out", "none seen", "negative", "nicht nachweisbar", "ausgeschlossen"]

[[doubt.words]]                     # platelets stick together: too few are counted
words = [
  "platelet clumps", "platelet clumping", "platelets clumped", "platelets are clumped",
  "clumped platelets", "clumps", "clumping", "clumped", "platelet aggregates", "plt clumps",
  "platelet aggregation", "aggregates", "satellitism", "pseudothrombocytopenia",
  "pseudothrombocytopaenia", "giant platelets", "large platelets", "EDTA effect",
  "thrombozytenaggregate", "plättchenaggregate", "pseudothrombopenie", "pseudothrombozytopenie",
  "agrégats plaquettaires", "agregados plaquetarios", "agregados plaquetários", "aggregati piastrinici",
]
analytes = ["platelets", "white_cells"]

[[doubt.words]]                     # clotted: every count is too low
words = [
  "clotted", "clot", "clots", "microclots", "micro clots", "partially clotted", "fibrin",
  "fibrin strands", "coagulated", "geronnen", "gerinnsel", "koagel", "coagulé", "caillot",
  "coagulado", "coagulada", "coágulo", "coagulato", "gestold",
]
analytes = [
  "white_cells", "neutrophils", "lymphocytes", "eosinophils", "monocytes", "basophils", "bands",
  "neutrophils_percent", "lymphocytes_percent", "eosinophils_percent", "monocytes_percent",
  "basophils_percent", "bands_percent", "platelets", "hemoglobin", "mcv", "inr",
]

[[doubt.words]]                     # red cells burst in the tube
words = [
  "haemolysed", "hemolysed", "haemolyzed", "hemolyzed", "haemolysis", "hemolysis",
  "haemolytic sample", "hemolytic sample", "haemolytic specimen", "hemolytic specimen",
  "hämolytisch", "haemolytisch", "hämolyse", "hämolysiert", "hémolysé", "hémolyse",
  "hemolizado", "hemolizada", "hemolisado", "hemolisada", "hemólisis", "hemólise", "emolizzato",
  "emolisi", "gehemolyseerd",
]
analytes = ["ast", "alt", "bilirubin", "bilirubin_direct", "alp", "ggt", "albumin", "creatinine", "hemoglobin", "amylase", "lipase", "inr"]

[[doubt.words]]                     # fat disturbs the photometer
words = [
  "lipaemic", "lipemic", "lipaemia", "lipemia", "turbid", "lipämisch", "lipämie", "lipémique",
  "lipémico", "lipêmico",
]
analytes = [
  "hemoglobin", "ast", "alt", "alp", "ggt", "bilirubin", "bilirubin_direct", "albumin",
  "creatinine", "amylase", "lipase", "crp",
]

[[doubt.words]]                     # bile disturbs the Jaffe reaction
words = ["icteric sample", "icteric specimen", "icterus interference", "ikterisch"]
analytes = ["creatinine"]

[[doubt.words]]                     # cells swell and perish on the way
words = [
  "old sample", "old specimen", "aged sample", "aged specimen", "sample too old", "specimen too old",
  "delayed sample", "delay in transit", "delayed in transit", "delayed receipt", "prolonged storage",
  "stability exceeded", "over 24 hours old", "more than 24 hours old", "probe zu alt",
  "alte probe", "überaltert",
]
analytes = [
  "mcv", "white_cells", "neutrophils", "lymphocytes", "eosinophils", "monocytes", "basophils",
  "bands", "neutrophils_percent", "lymphocytes_percent", "eosinophils_percent",
  "monocytes_percent", "basophils_percent", "bands_percent", "platelets", "ast",
]

[[doubt.words]]                     # the whole tube is in doubt
words = [
  "contaminated", "drip arm", "iv contamination", "diluted sample", "dilution suspected",
  "mislabelled", "mislabeled", "unlabelled", "unlabeled", "wrong patient", "wrong blood in tube",
  "identity in doubt", "insufficient sample", "short sample", "underfilled", "under filled",
  "interpret with caution", "treat with caution", "interpret results with caution",
  "result doubtful", "results doubtful", "questionable result", "unreliable", "mit vorbehalt", "unter vorbehalt",
  "verwechslung", "kontaminiert", "sous réserve", "interpretar con precaución",
]
analytes = ["all"]
','2026-11-28 16:15:47.480719','schedules folder','first text');
INSERT INTO "protocol_texts" VALUES(2,'azathioprine','a15f01f632caa18f8d757391663b22f86ede1dbadf22b5fcddcef3587f3e2b37','# Azathioprine: which blood tests are due when, and which values ask for a person.
#
# This file is meant to be read and edited by a clinical administrator.
# docs/protocol-files.md explains every key. In short:
#   - A duration is text: "3 days", "8 weeks", "3 months", "1 year". Months are calendar months.
#   - A number is in the analyte''s own unit (schedules/analytes.toml), or has `unit = "..."` beside it.
#   - Comparison is strict: a value exactly at a limit has not passed it.
#   - After an edit run `monitor schedule check FILE`, then `monitor schedule preview FILE`.
#     Nothing changes for enrolled patients before `monitor schedule apply FILE --by WHO --reason TEXT`.
#   - The [[examples]] at the end are made-up patients with what must be said of them. They are
#     worked through at every load; a file whose examples fail does not go live. If you change a
#     limit, change its examples too: they are your own check that the limit says what you mean.

id = "azathioprine"
title = "Azathioprine: CBC weekly to week 8, then CBC and LFT every 3 months, for ever"
drugs = ["azathioprine"]
default = true                      # taken where an enrolment names no protocol
version = "2026-11"                 # shown on every alert, with the digest of this file
source = "founding brief"
status = "not yet approved by a clinician"   # replace it by who approved it, and when
restart_on = ["dose_increase", "resume"]     # US label: more often when the dose changes
wash_out = "6 weeks"                # thresholds are watched this long after the stop
watch_from = "12 weeks"             # results this long before the start are watched too
episode_gap = "12 weeks"            # breaches no further apart than this are one story


# ---- Panels: analytes that together count as one test ----

[panels.cbc]
title = "Complete blood count with differential"
all_of = ["hemoglobin", "white_cells", "neutrophils", "lymphocytes", "platelets"]

[panels.lft]
title = "Liver function tests"
all_of = ["bilirubin"]
any_of = [["alt", "ast"]]           # of each group one is enough


# ---- What must be known before the start ----

[baseline]
panels = ["cbc", "lft"]
within = "12 weeks"                 # before the start
genotypes = ["tpmt", "nudt15"]


# ---- Phases: how often, one after the other, counted from the start (or a restart) ----

[[phases]]
name = "weekly"
until = "8 weeks"                   # counted from the start; the last phase has none

[phases.panels.cbc]
every = "1 week"
grace = "2 days"                    # days allowed after the due day before it is overdue
repeat = "3 days"                   # between reminders while it is overdue
escalate_after = "1 week"           # past the due day: seriously overdue
lead = "2 days"                     # before the due day: shown as due
urgency = "urgent"                  # of the reminder while overdue
serious_urgency = "urgent"          # of the reminder while seriously overdue

[[phases]]
name = "quarterly"                  # no `until`: monitored for as long as the drug is taken

[phases.panels.cbc]
every = "3 months"
grace = "1 week"
repeat = "2 weeks"
escalate_after = "4 weeks"
lead = "2 weeks"
urgency = "routine"
serious_urgency = "urgent"

[phases.panels.lft]
every = "3 months"
grace = "1 week"
repeat = "2 weeks"
escalate_after = "4 weeks"
lead = "2 weeks"
urgency = "routine"
serious_urgency = "urgent"


# ---- Rules: each watches one analyte and is a ladder of levels, the mildest first ----
# Of the levels of one rule that a value meets, the most severe speaks.
# `recheck`: the panel is due again so soon after a value that meets the level, whatever the phase.
# What an action says always leaves the decision to the prescriber.

[[rules]]
id = "lymphopenia"
analyte = "lymphocytes"
source = "founding brief; 0.5 and 0.2 are also CTCAE v5 grades 3 and 4"
levels = [                          # mildest first
  { below = 0.5, action = "dose_reduction", urgency = "urgent", recheck = "1 week" },
  { below = 0.2, action = "discontinue", urgency = "critical", recheck = "2 days" },
]

[[rules]]
id = "neutropenia"
analyte = "neutrophils"
source = "withhold: BSR 2017; discontinue: CTCAE v5 grades 3 and 4"
levels = [
  { below = 1.6, action = "withhold", urgency = "urgent", recheck = "1 week" },
  { below = 1.0, action = "discontinue", urgency = "critical", recheck = "2 days" },
  { below = 0.5, action = "discontinue", urgency = "critical", recheck = "1 day", say = "same-day clinical assessment" },
]

[[rules]]
id = "leucopenia"
analyte = "white_cells"
source = "withhold: BSR 2017; discontinue: CTCAE v5 grade 3"
levels = [
  { below = 3.5, action = "withhold", urgency = "urgent", recheck = "1 week" },
  { below = 2.0, action = "discontinue", urgency = "critical", recheck = "2 days" },
]

[[rules]]
id = "thrombocytopenia"
analyte = "platelets"
source = "withhold: BSR 2017; discontinue: CTCAE v5 grade 3"
levels = [
  { below = 140, action = "withhold", urgency = "urgent", recheck = "1 week" },
  { below = 50, action = "discontinue", urgency = "critical", recheck = "2 days" },
]

[[rules]]
id = "anaemia"
analyte = "hemoglobin"
source = "CTCAE v5 grades 2 and 3"
levels = [
  { below = 100, action = "review", urgency = "routine" },
  { below = 80, action = "review", urgency = "critical", recheck = "2 days", say = "bleeding, haemolysis or marrow?" },
]

# `above_times_uln` uses the upper reference limit that the laboratory sent with the value,
# `default_uln` where it sent none; the alert says which.

[[rules]]
id = "raised_alt"
analyte = "alt"
source = "BSR 2017; 5 x ULN is CTCAE v5 grade 3"
levels = [
  { above = 100, action = "review", urgency = "urgent", recheck = "2 weeks" },
  { above_times_uln = 5, default_uln = 50, action = "withhold", urgency = "urgent", recheck = "1 week" },
]

[[rules]]
id = "raised_ast"
analyte = "ast"
source = "BSR 2017; 5 x ULN is CTCAE v5 grade 3"
levels = [
  { above = 100, action = "review", urgency = "urgent", recheck = "2 weeks" },
  { above_times_uln = 5, default_uln = 50, action = "withhold", urgency = "urgent", recheck = "1 week" },
]

[[rules]]
id = "macrocytosis"
analyte = "mcv"
opportunistic = true                # no panel of this file asks for it
confirm = 2                         # speaks at the second consecutive breach
again_after = "12 months"
source = "BSR 2017"
levels = [{ above = 105, action = "review", urgency = "routine" }]

[[rules]]
id = "eosinophilia"
analyte = "eosinophils"
opportunistic = true
confirm = 2
again_after = "12 months"
source = "BSR 2017"
levels = [{ above = 0.5, action = "review", urgency = "routine" }]

[[rules]]
id = "low_albumin"
analyte = "albumin"
opportunistic = true
source = "BSR 2017"
levels = [{ below = 30, action = "review", urgency = "routine" }]

[[rules]]
id = "rising_creatinine"
analyte = "creatinine"
opportunistic = true
source = "BSR 2017: more than 30 % above baseline within 12 months"
levels = [{ rise_from_baseline = "30 %", within = "12 months", action = "review", urgency = "urgent" }]

# Trends: so many results in a row, each lower than the one before by more than `each`, and the
# last one below `only_below`.

[[rules]]
id = "falling_neutrophils"
analyte = "neutrophils"
source = "GPnotebook: three sequential falls of more than 10 %"
levels = [{ falls_in_a_row = 3, each = "10 %", only_below = 2.5, action = "review", urgency = "routine" }]

[[rules]]
id = "falling_white_cells"
analyte = "white_cells"
source = "GPnotebook; the ceilings (general knowledge, unverified) keep a steroid taper from alarming"
levels = [{ falls_in_a_row = 3, each = "10 %", only_below = 4.5, action = "review", urgency = "routine" }]

[[rules]]
id = "falling_platelets"
analyte = "platelets"
source = "GPnotebook"
levels = [{ falls_in_a_row = 3, each = "10 %", only_below = 200, action = "review", urgency = "routine" }]

[[rules]]
id = "raised_bilirubin"
analyte = "bilirubin"
source = "general knowledge, unverified"
levels = [{ above_times_uln = 2, default_uln = 21, action = "review", urgency = "urgent", recheck = "1 week" }]


# ==== Examples: made-up patients ====
# `completed` = days on which a panel was complete and unremarkable.
# `expect.alerts` names the rules that must speak, and no others may; [] = none.

# ---- When a test is due ----

[[examples]]
name = "the start day: the baseline is no weekly test"
started_on = 2026-01-05
completed = { cbc = [2025-12-29], lft = [2025-12-29] }
today = 2026-01-05
expect = { cbc = { due_on = 2026-01-12, state = "up_to_date", phase = "weekly" }, lft = { due_on = 2026-04-05, state = "up_to_date", phase = "quarterly" } }

[[examples]]
name = "never tested: the schedule counts from the start"
started_on = 2026-01-05
today = 2026-01-15
expect = { cbc = { due_on = 2026-01-12, state = "overdue", days_overdue = 3 } }

[[examples]]
name = "the last day of grace is not overdue"
started_on = 2026-01-05
today = 2026-01-14
expect = { cbc = { due_on = 2026-01-12, state = "due", days_overdue = 0 } }

[[examples]]
name = "a week after the test of week 1"
started_on = 2026-01-05
completed = { cbc = [2026-01-12] }
today = 2026-01-13
expect = { cbc = { due_on = 2026-01-19, state = "up_to_date", because = "schedule" } }

[[examples]]
name = "a missed weekly test is not forgiven by week 8"
started_on = 2026-01-05
completed = { cbc = [2026-01-12] }
today = 2026-04-20
expect = { cbc = { due_on = 2026-01-19, state = "seriously_overdue" } }

[[examples]]
name = "the last weekly test falls on the end of week 8"
started_on = 2026-01-05
completed = { cbc = [2026-01-12, 2026-01-19, 2026-01-26, 2026-02-02, 2026-02-09, 2026-02-16, 2026-02-23] }
today = 2026-02-24
expect = { cbc = { due_on = 2026-03-02, state = "up_to_date", phase = "weekly" } }

[[examples]]
name = "day 50: the weekly phase owes its last test"
started_on = 2026-01-05
completed = { cbc = [2026-01-12, 2026-01-19, 2026-01-26, 2026-02-02, 2026-02-09, 2026-02-16, 2026-02-24] }
today = 2026-02-25
expect = { cbc = { due_on = 2026-03-02, state = "up_to_date", phase = "weekly" } }

[[examples]]
name = "day 53: close enough to the end, the quarterly phase goes on"
started_on = 2026-01-05
completed = { cbc = [2026-01-12, 2026-01-19, 2026-01-26, 2026-02-02, 2026-02-09, 2026-02-16, 2026-02-27] }
today = 2026-02-28
expect = { cbc = { due_on = 2026-05-27, state = "up_to_date", phase = "quarterly" } }

[[examples]]
name = "day 56 is in the quarterly phase"
started_on = 2026-01-05
completed = { cbc = [2026-01-12, 2026-01-19, 2026-01-26, 2026-02-02, 2026-02-09, 2026-02-16, 2026-02-23, 2026-03-02] }
today = 2026-03-03
expect = { cbc = { due_on = 2026-06-02, state = "up_to_date", phase = "quarterly" } }

[[examples]]
name = "no liver tests in the weekly phase: the first 3 months after the start"
started_on = 2026-01-05
completed = { lft = [2025-12-29] }
today = 2026-01-06
expect = { lft = { due_on = 2026-04-05, state = "up_to_date", phase = "quarterly" } }

[[examples]]
name = "3 months from the end of November end with February"
started_on = 2026-01-05
completed = { lft = [2026-11-30] }
today = 2026-12-01
expect = { lft = { due_on = 2027-02-28, state = "up_to_date" } }

[[examples]]
name = "a dose increase starts the weekly phase again"
started_on = 2026-01-05
dose_mg_per_day = 100
completed = { cbc = [2026-03-02] }
events = [{ on = 2026-04-20, event = "dose", value = "150" }]
today = 2026-04-21
expect = { cbc = { due_on = 2026-04-27, state = "up_to_date", phase = "weekly" } }

[[examples]]
name = "a dose increase never forgives an overdue test"
started_on = 2026-01-05
dose_mg_per_day = 100
completed = { cbc = [2026-03-02] }
events = [{ on = 2026-06-15, event = "dose", value = "150" }]
today = 2026-06-16
expect = { cbc = { due_on = 2026-06-02, state = "overdue", days_overdue = 14 } }

[[examples]]
name = "a dose reduction leaves the schedule alone"
started_on = 2026-01-05
dose_mg_per_day = 100
completed = { cbc = [2026-03-02] }
events = [{ on = 2026-04-20, event = "dose", value = "50" }]
today = 2026-04-21
expect = { cbc = { due_on = 2026-06-02 } }

[[examples]]
name = "going back to the old dose is an increase"
started_on = 2026-01-05
dose_mg_per_day = 100
completed = { cbc = [2026-03-02] }
events = [
  { on = 2026-04-20, event = "dose", value = "50" },
  { on = 2026-05-04, event = "dose", value = "100" },
]
today = 2026-05-05
expect = { cbc = { due_on = 2026-05-11, phase = "weekly" } }

[[examples]]
name = "a dose known for the first time is no increase"
started_on = 2026-01-05
completed = { cbc = [2026-03-02] }
events = [{ on = 2026-04-20, event = "dose", value = "150" }]
today = 2026-04-21
expect = { cbc = { due_on = 2026-06-02 } }

[[examples]]
name = "taking it again after a hold starts the weekly phase again"
started_on = 2026-01-05
completed = { cbc = [2026-03-02] }
events = [
  { on = 2026-03-30, event = "hold" },
  { on = 2026-04-20, event = "resume" },
]
today = 2026-04-21
expect = { cbc = { due_on = 2026-04-27, phase = "weekly" } }

[[examples]]
name = "a hold keeps the schedule going"
started_on = 2026-01-05
completed = { cbc = [2026-03-02] }
events = [{ on = 2026-03-30, event = "hold" }]
today = 2026-06-10
expect = { cbc = { due_on = 2026-06-02, state = "overdue" } }

[[examples]]
name = "a late start never shortens the weekly phase"
started_on = 2026-01-05
completed = { cbc = [2026-01-26] }
events = [{ on = 2026-01-26, event = "start" }]
today = 2026-01-27
expect = { cbc = { due_on = 2026-02-02, phase = "weekly" } }

[[examples]]
name = "neutrophils 0.9 ask for the next count in 2 days, not in 3 months"
started_on = 2026-01-05
completed = { cbc = [2026-06-02] }
results = [{ on = 2026-06-02, analyte = "neutrophils", value = "0.9", unit = "10*9/L" }]
today = 2026-06-03
expect = { cbc = { due_on = 2026-06-04, state = "due", because = "recheck" } }

[[examples]]
name = "a recovered count ends the recheck"
started_on = 2026-01-05
completed = { cbc = [2026-06-02, 2026-06-04] }
results = [{ on = 2026-06-02, analyte = "neutrophils", value = "0.9", unit = "10*9/L" }]
today = 2026-06-05
expect = { cbc = { due_on = 2026-09-04, because = "schedule" } }

[[examples]]
name = "a count without lymphocytes completes nothing"
started_on = 2026-01-05
results = [
  { on = 2026-01-12, analyte = "hemoglobin", value = "13.5", unit = "g/dL" },
  { on = 2026-01-12, analyte = "white_cells", value = "6.1", unit = "10*9/L" },
  { on = 2026-01-12, analyte = "neutrophils", value = "4.0", unit = "10*9/L" },
  { on = 2026-01-12, analyte = "platelets", value = "250", unit = "10*9/L" },
]
today = 2026-01-13
expect = { cbc = { due_on = 2026-01-12, state = "due" } }

[[examples]]
name = "bilirubin and AST are liver function tests, ALT is not needed"
started_on = 2026-01-05
results = [
  { on = 2026-04-06, analyte = "bilirubin", value = "9", unit = "umol/L" },
  { on = 2026-04-06, analyte = "ast", value = "24", unit = "U/L" },
]
today = 2026-04-07
expect = { lft = { due_on = 2026-07-06 } }

[[examples]]
name = "nothing is due after the stop"
started_on = 2026-01-05
completed = { cbc = [2026-03-02] }
events = [{ on = 2026-04-20, event = "stop" }]
today = 2026-06-10
expect = { cbc = { state = "ended" }, lft = { state = "ended" } }

# ---- Values around each limit: one at it, one just past it ----

[[examples]]
name = "0.5 is not below 0.5"
started_on = 2026-01-05
results = [{ on = 2026-01-12, analyte = "lymphocytes", value = "500", unit = "/uL" }]
today = 2026-01-12
expect = { alerts = [] }

[[examples]]
name = "lymphocytes 499 /uL are below 0.5"
started_on = 2026-01-05
results = [{ on = 2026-01-12, analyte = "lymphocytes", value = "499", unit = "/uL" }]
today = 2026-01-12
expect = { alerts = [{ rule = "lymphopenia", action = "dose_reduction", urgency = "urgent" }] }

[[examples]]
name = "lymphocytes 0.2 are not below 0.2"
started_on = 2026-01-05
results = [{ on = 2026-01-12, analyte = "lymphocytes", value = "0.20", unit = "10*9/L" }]
today = 2026-01-12
expect = { alerts = [{ rule = "lymphopenia", action = "dose_reduction", urgency = "urgent" }] }

[[examples]]
name = "lymphocytes 0.199"
started_on = 2026-01-05
results = [{ on = 2026-01-12, analyte = "lymphocytes", value = "0.199", unit = "K/uL" }]
today = 2026-01-12
expect = { alerts = [{ rule = "lymphopenia", action = "discontinue", urgency = "critical" }] }

[[examples]]
name = "a censored value that is below the limit for certain"
started_on = 2026-01-05
results = [{ on = 2026-01-12, analyte = "lymphocytes", value = "<0.5", unit = "10*9/L" }]
today = 2026-01-12
expect = { alerts = [{ rule = "lymphopenia", action = "dose_reduction", urgency = "urgent" }] }

[[examples]]
name = "a censored value that may be below a limit asks for the number"
started_on = 2026-01-05
results = [{ on = 2026-01-12, analyte = "lymphocytes", value = "<0.6", unit = "10*9/L" }]
today = 2026-01-12
expect = { alerts = [{ rule = "lymphopenia", action = "review", urgency = "urgent" }] }

[[examples]]
name = "neutrophils 1.6"
started_on = 2026-01-05
results = [{ on = 2026-01-12, analyte = "neutrophils", value = "1.60", unit = "10*9/L" }]
today = 2026-01-12
expect = { alerts = [] }

[[examples]]
name = "neutrophils 1.599"
started_on = 2026-01-05
results = [{ on = 2026-01-12, analyte = "neutrophils", value = "1.599", unit = "10*9/L" }]
today = 2026-01-12
expect = { alerts = [{ rule = "neutropenia", action = "withhold", urgency = "urgent" }] }

[[examples]]
name = "neutrophils 1.0"
started_on = 2026-01-05
results = [{ on = 2026-01-12, analyte = "neutrophils", value = "1000", unit = "/uL" }]
today = 2026-01-12
expect = { alerts = [{ rule = "neutropenia", action = "withhold", urgency = "urgent" }] }

[[examples]]
name = "neutrophils 0.999"
started_on = 2026-01-05
results = [{ on = 2026-01-12, analyte = "neutrophils", value = "999", unit = "/uL" }]
today = 2026-01-12
expect = { alerts = [{ rule = "neutropenia", action = "discontinue", urgency = "critical" }] }

[[examples]]
name = "neutrophils 0.5"
started_on = 2026-01-05
results = [{ on = 2026-01-12, analyte = "neutrophils", value = "0.5", unit = "10*9/L" }]
today = 2026-01-12
expect = { alerts = [{ rule = "neutropenia", action = "discontinue", urgency = "critical" }] }

[[examples]]
name = "neutrophils 0.49"
started_on = 2026-01-05
results = [{ on = 2026-01-12, analyte = "neutrophils", value = "0.49", unit = "10*9/L" }]
today = 2026-01-12
expect = { alerts = [{ rule = "neutropenia", action = "discontinue", urgency = "critical" }] }

[[examples]]
name = "neutrophils in percent of the white cells are counted, too"
started_on = 2026-01-05
results = [
  { on = 2026-01-12, analyte = "white_cells", value = "3.6", unit = "10*9/L" },
  { on = 2026-01-12, analyte = "neutrophils_percent", value = "40", unit = "%" },
]
today = 2026-01-12
expect = { alerts = [{ rule = "neutropenia", action = "withhold", urgency = "urgent" }] }

[[examples]]
name = "white cells 3.5"
started_on = 2026-01-05
results = [{ on = 2026-01-12, analyte = "white_cells", value = "3.5", unit = "10*9/L" }]
today = 2026-01-12
expect = { alerts = [] }

[[examples]]
name = "white cells 3.49"
started_on = 2026-01-05
results = [{ on = 2026-01-12, analyte = "white_cells", value = "3.49", unit = "10*9/L" }]
today = 2026-01-12
expect = { alerts = [{ rule = "leucopenia", action = "withhold", urgency = "urgent" }] }

[[examples]]
name = "white cells 2.0"
started_on = 2026-01-05
results = [{ on = 2026-01-12, analyte = "white_cells", value = "2.0", unit = "10*9/L" }]
today = 2026-01-12
expect = { alerts = [{ rule = "leucopenia", action = "withhold", urgency = "urgent" }] }

[[examples]]
name = "white cells 1.99"
started_on = 2026-01-05
results = [{ on = 2026-01-12, analyte = "white_cells", value = "1.99", unit = "10*9/L" }]
today = 2026-01-12
expect = { alerts = [{ rule = "leucopenia", action = "discontinue", urgency = "critical" }] }

[[examples]]
name = "platelets 140"
started_on = 2026-01-05
results = [{ on = 2026-01-12, analyte = "platelets", value = "140", unit = "10*9/L" }]
today = 2026-01-12
expect = { alerts = [] }

[[examples]]
name = "platelets 139"
started_on = 2026-01-05
results = [{ on = 2026-01-12, analyte = "platelets", value = "139000", unit = "/uL" }]
today = 2026-01-12
expect = { alerts = [{ rule = "thrombocytopenia", action = "withhold", urgency = "urgent" }] }

[[examples]]
name = "platelets 50"
started_on = 2026-01-05
results = [{ on = 2026-01-12, analyte = "platelets", value = "50", unit = "10*9/L" }]
today = 2026-01-12
expect = { alerts = [{ rule = "thrombocytopenia", action = "withhold", urgency = "urgent" }] }

[[examples]]
name = "platelets 49"
started_on = 2026-01-05
results = [{ on = 2026-01-12, analyte = "platelets", value = "49", unit = "10*9/L" }]
today = 2026-01-12
expect = { alerts = [{ rule = "thrombocytopenia", action = "discontinue", urgency = "critical" }] }

[[examples]]
name = "haemoglobin 100"
started_on = 2026-01-05
results = [{ on = 2026-01-12, analyte = "hemoglobin", value = "10.0", unit = "g/dL" }]
today = 2026-01-12
expect = { alerts = [] }

[[examples]]
name = "haemoglobin 99"
started_on = 2026-01-05
results = [{ on = 2026-01-12, analyte = "hemoglobin", value = "9.9", unit = "g/dL" }]
today = 2026-01-12
expect = { alerts = [{ rule = "anaemia", action = "review", urgency = "routine" }] }

[[examples]]
name = "haemoglobin 80"
started_on = 2026-01-05
results = [{ on = 2026-01-12, analyte = "hemoglobin", value = "80", unit = "g/L" }]
today = 2026-01-12
expect = { alerts = [{ rule = "anaemia", action = "review", urgency = "routine" }] }

[[examples]]
name = "haemoglobin 79"
started_on = 2026-01-05
results = [{ on = 2026-01-12, analyte = "hemoglobin", value = "79", unit = "g/L" }]
today = 2026-01-12
expect = { alerts = [{ rule = "anaemia", action = "review", urgency = "critical" }] }

[[examples]]
name = "ALT 100"
started_on = 2026-01-05
results = [{ on = 2026-01-12, analyte = "alt", value = "100", unit = "U/L" }]
today = 2026-01-12
expect = { alerts = [] }

[[examples]]
name = "ALT 101"
started_on = 2026-01-05
results = [{ on = 2026-01-12, analyte = "alt", value = "101", unit = "U/L" }]
today = 2026-01-12
expect = { alerts = [{ rule = "raised_alt", action = "review", urgency = "urgent" }] }

[[examples]]
name = "ALT at 5 times the laboratory''s upper limit"
started_on = 2026-01-05
results = [{ on = 2026-01-12, analyte = "alt", value = "200", unit = "U/L", ref_high = 40 }]
today = 2026-01-12
expect = { alerts = [{ rule = "raised_alt", action = "review", urgency = "urgent" }] }

[[examples]]
name = "ALT above 5 times the laboratory''s upper limit"
started_on = 2026-01-05
results = [{ on = 2026-01-12, analyte = "alt", value = "201", unit = "U/L", ref_high = 40 }]
today = 2026-01-12
expect = { alerts = [{ rule = "raised_alt", action = "withhold", urgency = "urgent" }] }

[[examples]]
name = "ALT at 5 times the default upper limit"
started_on = 2026-01-05
results = [{ on = 2026-01-12, analyte = "alt", value = "250", unit = "U/L" }]
today = 2026-01-12
expect = { alerts = [{ rule = "raised_alt", action = "review", urgency = "urgent" }] }

[[examples]]
name = "ALT above 5 times the default upper limit"
started_on = 2026-01-05
results = [{ on = 2026-01-12, analyte = "alt", value = "251", unit = "U/L" }]
today = 2026-01-12
expect = { alerts = [{ rule = "raised_alt", action = "withhold", urgency = "urgent" }] }

[[examples]]
name = "AST 100"
started_on = 2026-01-05
results = [{ on = 2026-01-12, analyte = "ast", value = "100", unit = "U/L" }]
today = 2026-01-12
expect = { alerts = [] }

[[examples]]
name = "AST 101"
started_on = 2026-01-05
results = [{ on = 2026-01-12, analyte = "ast", value = "101", unit = "U/L" }]
today = 2026-01-12
expect = { alerts = [{ rule = "raised_ast", action = "review", urgency = "urgent" }] }

[[examples]]
name = "AST at 5 times the laboratory''s upper limit"
started_on = 2026-01-05
results = [{ on = 2026-01-12, analyte = "ast", value = "200", unit = "U/L", ref_high = 40 }]
today = 2026-01-12
expect = { alerts = [{ rule = "raised_ast", action = "review", urgency = "urgent" }] }

[[examples]]
name = "AST above 5 times the laboratory''s upper limit"
started_on = 2026-01-05
results = [{ on = 2026-01-12, analyte = "ast", value = "201", unit = "U/L", ref_high = 40 }]
today = 2026-01-12
expect = { alerts = [{ rule = "raised_ast", action = "withhold", urgency = "urgent" }] }

[[examples]]
name = "AST at 5 times the default upper limit"
started_on = 2026-01-05
results = [{ on = 2026-01-12, analyte = "ast", value = "250", unit = "U/L" }]
today = 2026-01-12
expect = { alerts = [{ rule = "raised_ast", action = "review", urgency = "urgent" }] }

[[examples]]
name = "AST above 5 times the default upper limit"
started_on = 2026-01-05
results = [{ on = 2026-01-12, analyte = "ast", value = "251", unit = "U/L" }]
today = 2026-01-12
expect = { alerts = [{ rule = "raised_ast", action = "withhold", urgency = "urgent" }] }

[[examples]]
name = "bilirubin at twice the laboratory''s upper limit"
started_on = 2026-01-05
results = [{ on = 2026-01-12, analyte = "bilirubin", value = "34", unit = "umol/L", ref_high = 17 }]
today = 2026-01-12
expect = { alerts = [] }

[[examples]]
name = "bilirubin above twice the laboratory''s upper limit"
started_on = 2026-01-05
results = [{ on = 2026-01-12, analyte = "bilirubin", value = "35", unit = "umol/L", ref_high = 17 }]
today = 2026-01-12
expect = { alerts = [{ rule = "raised_bilirubin", action = "review", urgency = "urgent" }] }

[[examples]]
name = "bilirubin at twice the default upper limit"
started_on = 2026-01-05
results = [{ on = 2026-01-12, analyte = "bilirubin", value = "42", unit = "umol/L" }]
today = 2026-01-12
expect = { alerts = [] }

[[examples]]
name = "bilirubin above twice the default upper limit"
started_on = 2026-01-05
results = [{ on = 2026-01-12, analyte = "bilirubin", value = "2.5", unit = "mg/dL" }]
today = 2026-01-12
expect = { alerts = [{ rule = "raised_bilirubin", action = "review", urgency = "urgent" }] }

[[examples]]
name = "albumin 30"
started_on = 2026-01-05
results = [{ on = 2026-01-12, analyte = "albumin", value = "3.0", unit = "g/dL" }]
today = 2026-01-12
expect = { alerts = [] }

[[examples]]
name = "albumin 29"
started_on = 2026-01-05
results = [{ on = 2026-01-12, analyte = "albumin", value = "29", unit = "g/L" }]
today = 2026-01-12
expect = { alerts = [{ rule = "low_albumin", action = "review", urgency = "routine" }] }

# ---- Two in a row, rises from the baseline, falls in a row ----

[[examples]]
name = "one MCV above its limit waits for the second"
started_on = 2026-01-05
results = [{ on = 2026-01-12, analyte = "mcv", value = "106", unit = "fL" }]
today = 2026-01-12
expect = { alerts = [] }

[[examples]]
name = "two in a row of MCV above its limit"
started_on = 2026-01-05
results = [
  { on = 2026-01-12, analyte = "mcv", value = "106", unit = "fL" },
  { on = 2026-01-19, analyte = "mcv", value = "106", unit = "fL" },
]
today = 2026-01-19
expect = { alerts = [{ rule = "macrocytosis", action = "review", urgency = "routine" }] }

[[examples]]
name = "MCV twice at its limit"
started_on = 2026-01-05
results = [
  { on = 2026-01-12, analyte = "mcv", value = "105", unit = "fL" },
  { on = 2026-01-19, analyte = "mcv", value = "105", unit = "fL" },
]
today = 2026-01-19
expect = { alerts = [] }

[[examples]]
name = "two MCV above their limit with one between that is not"
started_on = 2026-01-05
results = [
  { on = 2026-01-12, analyte = "mcv", value = "106", unit = "fL" },
  { on = 2026-01-19, analyte = "mcv", value = "104", unit = "fL" },
  { on = 2026-01-26, analyte = "mcv", value = "106", unit = "fL" },
]
today = 2026-01-26
expect = { alerts = [] }

[[examples]]
name = "one eosinophil count above its limit waits for the second"
started_on = 2026-01-05
results = [{ on = 2026-01-12, analyte = "eosinophils", value = "501", unit = "/uL" }]
today = 2026-01-12
expect = { alerts = [] }

[[examples]]
name = "two in a row of eosinophils above their limit"
started_on = 2026-01-05
results = [
  { on = 2026-01-12, analyte = "eosinophils", value = "501", unit = "/uL" },
  { on = 2026-01-19, analyte = "eosinophils", value = "501", unit = "/uL" },
]
today = 2026-01-19
expect = { alerts = [{ rule = "eosinophilia", action = "review", urgency = "routine" }] }

[[examples]]
name = "eosinophils twice at their limit"
started_on = 2026-01-05
results = [
  { on = 2026-01-12, analyte = "eosinophils", value = "500", unit = "/uL" },
  { on = 2026-01-19, analyte = "eosinophils", value = "500", unit = "/uL" },
]
today = 2026-01-19
expect = { alerts = [] }

[[examples]]
name = "creatinine 30 % above its baseline"
started_on = 2026-01-05
results = [
  { on = 2025-12-29, analyte = "creatinine", value = "80", unit = "umol/L" },
  { on = 2026-03-02, analyte = "creatinine", value = "104", unit = "umol/L" },
]
today = 2026-03-02
expect = { alerts = [] }

[[examples]]
name = "creatinine more than 30 % above its baseline"
started_on = 2026-01-05
results = [
  { on = 2025-12-29, analyte = "creatinine", value = "80", unit = "umol/L" },
  { on = 2026-03-02, analyte = "creatinine", value = "104.1", unit = "umol/L" },
]
today = 2026-03-02
expect = { alerts = [{ rule = "rising_creatinine", action = "review", urgency = "urgent" }] }

[[examples]]
name = "without a baseline the first value after the start is it"
started_on = 2026-01-05
results = [
  { on = 2026-01-12, analyte = "creatinine", value = "80", unit = "umol/L" },
  { on = 2026-03-02, analyte = "creatinine", value = "105", unit = "umol/L" },
]
today = 2026-03-02
expect = { alerts = [{ rule = "rising_creatinine", action = "review", urgency = "urgent" }] }

[[examples]]
name = "after 12 months the earliest value of the last 12 months is compared"
started_on = 2026-01-05
results = [
  { on = 2025-12-29, analyte = "creatinine", value = "80", unit = "umol/L" },
  { on = 2026-06-01, analyte = "creatinine", value = "100", unit = "umol/L" },
  { on = 2027-03-01, analyte = "creatinine", value = "118", unit = "umol/L" },
]
today = 2027-03-01
expect = { alerts = [] }

[[examples]]
name = "three falls in a row of neutrophils"
started_on = 2026-01-05
results = [
  { on = 2026-01-12, analyte = "neutrophils", value = "3.2", unit = "10*9/L" },
  { on = 2026-01-19, analyte = "neutrophils", value = "2.8", unit = "10*9/L" },
  { on = 2026-01-26, analyte = "neutrophils", value = "2.5", unit = "10*9/L" },
  { on = 2026-02-02, analyte = "neutrophils", value = "2.2", unit = "10*9/L" },
]
today = 2026-02-02
expect = { alerts = [{ rule = "falling_neutrophils", action = "review", urgency = "routine" }] }

[[examples]]
name = "three falls of neutrophils by 10 % and no more"
started_on = 2026-01-05
results = [
  { on = 2026-01-12, analyte = "neutrophils", value = "3.000", unit = "10*9/L" },
  { on = 2026-01-19, analyte = "neutrophils", value = "2.700", unit = "10*9/L" },
  { on = 2026-01-26, analyte = "neutrophils", value = "2.430", unit = "10*9/L" },
  { on = 2026-02-02, analyte = "neutrophils", value = "2.187", unit = "10*9/L" },
]
today = 2026-02-02
expect = { alerts = [] }

[[examples]]
name = "three falls of neutrophils that end at the ceiling"
started_on = 2026-01-05
results = [
  { on = 2026-01-12, analyte = "neutrophils", value = "4.0", unit = "10*9/L" },
  { on = 2026-01-19, analyte = "neutrophils", value = "3.4", unit = "10*9/L" },
  { on = 2026-01-26, analyte = "neutrophils", value = "2.9", unit = "10*9/L" },
  { on = 2026-02-02, analyte = "neutrophils", value = "2.5", unit = "10*9/L" },
]
today = 2026-02-02
expect = { alerts = [] }

[[examples]]
name = "three falls in a row of white cells"
started_on = 2026-01-05
results = [
  { on = 2026-01-12, analyte = "white_cells", value = "6.5", unit = "10*9/L" },
  { on = 2026-01-19, analyte = "white_cells", value = "5.6", unit = "10*9/L" },
  { on = 2026-01-26, analyte = "white_cells", value = "4.9", unit = "10*9/L" },
  { on = 2026-02-02, analyte = "white_cells", value = "4.2", unit = "10*9/L" },
]
today = 2026-02-02
expect = { alerts = [{ rule = "falling_white_cells", action = "review", urgency = "routine" }] }

[[examples]]
name = "three falls of white cells by 10 % and no more"
started_on = 2026-01-05
results = [
  { on = 2026-01-12, analyte = "white_cells", value = "6.000", unit = "10*9/L" },
  { on = 2026-01-19, analyte = "white_cells", value = "5.400", unit = "10*9/L" },
  { on = 2026-01-26, analyte = "white_cells", value = "4.860", unit = "10*9/L" },
  { on = 2026-02-02, analyte = "white_cells", value = "4.374", unit = "10*9/L" },
]
today = 2026-02-02
expect = { alerts = [] }

[[examples]]
name = "three falls of white cells that end at the ceiling"
started_on = 2026-01-05
results = [
  { on = 2026-01-12, analyte = "white_cells", value = "6.6", unit = "10*9/L" },
  { on = 2026-01-19, analyte = "white_cells", value = "5.8", unit = "10*9/L" },
  { on = 2026-01-26, analyte = "white_cells", value = "5.1", unit = "10*9/L" },
  { on = 2026-02-02, analyte = "white_cells", value = "4.5", unit = "10*9/L" },
]
today = 2026-02-02
expect = { alerts = [] }

[[examples]]
name = "three falls in a row of platelets"
started_on = 2026-01-05
results = [
  { on = 2026-01-12, analyte = "platelets", value = "300", unit = "10*9/L" },
  { on = 2026-01-19, analyte = "platelets", value = "260", unit = "10*9/L" },
  { on = 2026-01-26, analyte = "platelets", value = "225", unit = "10*9/L" },
  { on = 2026-02-02, analyte = "platelets", value = "190", unit = "10*9/L" },
]
today = 2026-02-02
expect = { alerts = [{ rule = "falling_platelets", action = "review", urgency = "routine" }] }

[[examples]]
name = "three falls of platelets by 10 % and no more"
started_on = 2026-01-05
results = [
  { on = 2026-01-12, analyte = "platelets", value = "200", unit = "10*9/L" },
  { on = 2026-01-19, analyte = "platelets", value = "180", unit = "10*9/L" },
  { on = 2026-01-26, analyte = "platelets", value = "162", unit = "10*9/L" },
  { on = 2026-02-02, analyte = "platelets", value = "145.8", unit = "10*9/L" },
]
today = 2026-02-02
expect = { alerts = [] }

[[examples]]
name = "three falls of platelets that end at the ceiling"
started_on = 2026-01-05
results = [
  { on = 2026-01-12, analyte = "platelets", value = "300", unit = "10*9/L" },
  { on = 2026-01-19, analyte = "platelets", value = "260", unit = "10*9/L" },
  { on = 2026-01-26, analyte = "platelets", value = "230", unit = "10*9/L" },
  { on = 2026-02-02, analyte = "platelets", value = "200", unit = "10*9/L" },
]
today = 2026-02-02
expect = { alerts = [] }

[[examples]]
name = "two falls in a row of neutrophils are no trend"
started_on = 2026-01-05
results = [
  { on = 2026-01-12, analyte = "neutrophils", value = "2.8", unit = "10*9/L" },
  { on = 2026-01-19, analyte = "neutrophils", value = "2.4", unit = "10*9/L" },
  { on = 2026-01-26, analyte = "neutrophils", value = "2.1", unit = "10*9/L" },
]
today = 2026-01-26
expect = { alerts = [] }
','2026-11-28 16:15:47.480719','schedules folder','first text');
CREATE TABLE quarantine (
	id INTEGER NOT NULL, 
	file_id INTEGER NOT NULL, 
	line INTEGER NOT NULL, 
	source VARCHAR NOT NULL, 
	raw JSON NOT NULL, 
	raw_digest VARCHAR NOT NULL, 
	reason_code VARCHAR NOT NULL, 
	reason VARCHAR NOT NULL, 
	hint VARCHAR NOT NULL, 
	mrn_key VARCHAR NOT NULL, 
	patient_id INTEGER, 
	analyte VARCHAR NOT NULL, 
	collected_on DATE, 
	possible_values VARCHAR NOT NULL, 
	held_at DATETIME NOT NULL, 
	state VARCHAR NOT NULL, 
	resolved_at DATETIME, 
	resolved_by VARCHAR NOT NULL, 
	resolution VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(file_id) REFERENCES files (id), 
	FOREIGN KEY(patient_id) REFERENCES patients (id)
);
INSERT INTO "quarantine" VALUES(1,3,12,'','{"mrn": "X3", "collected_at": "2026-01-12T09:30", "analyte": "hemoglobin", "value": "129", "unit": "g/L", "ref_low": "120", "ref_high": "160", "specimen_id": "S3", "status": "final", "received": {"mrn": "X3", "collected_at": "2026-01-12T09:30", "analyte": "hemoglobin", "value": "129", "unit": "g/L", "ref_low": "120", "ref_high": "160", "specimen_id": "S3", "status": "final"}}','5e71b63d5a967e630d749b4980f45811c2d9b77ef6f3ee8419e27d1400fdf4bd','unknown_patient','the patient is not enrolled; taken in by itself upon enrolment','','x3',NULL,'hemoglobin','2026-01-12','','2026-01-12 15:00:00.000000','held',NULL,'','');
CREATE TABLE results (
	id INTEGER NOT NULL, 
	patient_id INTEGER NOT NULL, 
	analyte VARCHAR NOT NULL, 
	collected_at DATETIME NOT NULL, 
	collected_on DATE NOT NULL, 
	timed BOOLEAN NOT NULL, 
	specimen_id VARCHAR NOT NULL, 
	value VARCHAR, 
	comparator VARCHAR NOT NULL, 
	no_result VARCHAR NOT NULL, 
	status VARCHAR NOT NULL, 
	stands BOOLEAN NOT NULL, 
	received_value VARCHAR NOT NULL, 
	received_unit VARCHAR NOT NULL, 
	ref_low VARCHAR, 
	ref_high VARCHAR, 
	reported_at DATETIME, 
	received_at DATETIME NOT NULL, 
	comment VARCHAR NOT NULL, 
	below_plausible BOOLEAN NOT NULL, 
	doubtful_comment VARCHAR NOT NULL, 
	file_id INTEGER NOT NULL, 
	line INTEGER NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(patient_id) REFERENCES patients (id), 
	FOREIGN KEY(file_id) REFERENCES files (id)
);
INSERT INTO "results" VALUES(1,1,'hemoglobin','2025-12-28 23:00:00.000000','2025-12-29',0,'','140','','','final',1,'140','g/L',NULL,NULL,NULL,'2026-01-05 08:00:00.000000','',0,'',2,2);
INSERT INTO "results" VALUES(2,1,'white_cells','2025-12-28 23:00:00.000000','2025-12-29',0,'','6.0','','','final',1,'6.0','10*9/L',NULL,NULL,NULL,'2026-01-05 08:00:00.000000','',0,'',2,2);
INSERT INTO "results" VALUES(3,1,'neutrophils','2025-12-28 23:00:00.000000','2025-12-29',0,'','4.0','','','final',1,'4.0','10*9/L',NULL,NULL,NULL,'2026-01-05 08:00:00.000000','',0,'',2,2);
INSERT INTO "results" VALUES(4,1,'lymphocytes','2025-12-28 23:00:00.000000','2025-12-29',0,'','1.5','','','final',1,'1.5','10*9/L',NULL,NULL,NULL,'2026-01-05 08:00:00.000000','',0,'',2,2);
INSERT INTO "results" VALUES(5,1,'platelets','2025-12-28 23:00:00.000000','2025-12-29',0,'','250','','','final',1,'250','10*9/L',NULL,NULL,NULL,'2026-01-05 08:00:00.000000','',0,'',2,2);
INSERT INTO "results" VALUES(6,1,'bilirubin','2025-12-28 23:00:00.000000','2025-12-29',0,'','10','','','final',1,'10','umol/L',NULL,NULL,NULL,'2026-01-05 08:00:00.000000','',0,'',2,2);
INSERT INTO "results" VALUES(7,1,'alt','2025-12-28 23:00:00.000000','2025-12-29',0,'','20','','','final',1,'20','U/L',NULL,NULL,NULL,'2026-01-05 08:00:00.000000','',0,'',2,2);
INSERT INTO "results" VALUES(8,2,'hemoglobin','2025-12-28 23:00:00.000000','2025-12-29',0,'','131','','','final',1,'131','g/L',NULL,NULL,NULL,'2026-01-05 08:00:00.000000','',0,'',2,3);
INSERT INTO "results" VALUES(9,2,'white_cells','2025-12-28 23:00:00.000000','2025-12-29',0,'','5.0','','','final',1,'5.0','10*9/L',NULL,NULL,NULL,'2026-01-05 08:00:00.000000','',0,'',2,3);
INSERT INTO "results" VALUES(10,2,'neutrophils','2025-12-28 23:00:00.000000','2025-12-29',0,'','3.0','','','final',1,'3.0','10*9/L',NULL,NULL,NULL,'2026-01-05 08:00:00.000000','',0,'',2,3);
INSERT INTO "results" VALUES(11,2,'lymphocytes','2025-12-28 23:00:00.000000','2025-12-29',0,'','1.2','','','final',1,'1.2','10*9/L',NULL,NULL,NULL,'2026-01-05 08:00:00.000000','',0,'',2,3);
INSERT INTO "results" VALUES(12,2,'platelets','2025-12-28 23:00:00.000000','2025-12-29',0,'','220','','','final',1,'220','10*9/L',NULL,NULL,NULL,'2026-01-05 08:00:00.000000','',0,'',2,3);
INSERT INTO "results" VALUES(13,2,'bilirubin','2025-12-28 23:00:00.000000','2025-12-29',0,'','9','','','final',1,'9','umol/L',NULL,NULL,NULL,'2026-01-05 08:00:00.000000','',0,'',2,3);
INSERT INTO "results" VALUES(14,2,'alt','2025-12-28 23:00:00.000000','2025-12-29',0,'','31','','','final',1,'31','U/L',NULL,NULL,NULL,'2026-01-05 08:00:00.000000','',0,'',2,3);
INSERT INTO "results" VALUES(15,1,'white_cells','2026-01-12 08:00:00.000000','2026-01-12',1,'S1','5.9','','','final',1,'5.9','10*9/L','4','10',NULL,'2026-01-12 15:00:00.000000','',0,'',3,2);
INSERT INTO "results" VALUES(16,1,'neutrophils','2026-01-12 08:00:00.000000','2026-01-12',1,'S1','3.9','','','final',1,'3.9','10*9/L','2','7',NULL,'2026-01-12 15:00:00.000000','',0,'',3,3);
INSERT INTO "results" VALUES(17,1,'lymphocytes','2026-01-12 08:00:00.000000','2026-01-12',1,'S1','1.4','','','final',1,'1.4','10*9/L','1','4',NULL,'2026-01-12 15:00:00.000000','',0,'',3,4);
INSERT INTO "results" VALUES(18,1,'platelets','2026-01-12 08:00:00.000000','2026-01-12',1,'S1','240','','','final',1,'240','10*9/L','150','400',NULL,'2026-01-12 15:00:00.000000','',0,'',3,5);
INSERT INTO "results" VALUES(19,1,'hemoglobin','2026-01-12 08:00:00.000000','2026-01-12',1,'S1','139','','','final',1,'139','g/L','120','160',NULL,'2026-01-12 15:00:00.000000','',0,'',3,6);
INSERT INTO "results" VALUES(20,2,'white_cells','2026-01-12 08:30:00.000000','2026-01-12',1,'S2','4.9','','','final',1,'4.9','10*9/L','4','10',NULL,'2026-01-12 15:00:00.000000','',0,'',3,7);
INSERT INTO "results" VALUES(21,2,'neutrophils','2026-01-12 08:30:00.000000','2026-01-12',1,'S2','0.8','','','final',1,'0.8','10*9/L','2','7',NULL,'2026-01-12 15:00:00.000000','',0,'',3,8);
INSERT INTO "results" VALUES(22,2,'lymphocytes','2026-01-12 08:30:00.000000','2026-01-12',1,'S2','0.4','','','final',0,'0.4','10*9/L','1','4',NULL,'2026-01-12 15:00:00.000000','',0,'',3,9);
INSERT INTO "results" VALUES(23,2,'platelets','2026-01-12 08:30:00.000000','2026-01-12',1,'S2','140','','','final',1,'140','10*9/L','150','400',NULL,'2026-01-12 15:00:00.000000','',0,'',3,10);
INSERT INTO "results" VALUES(24,2,'hemoglobin','2026-01-12 08:30:00.000000','2026-01-12',1,'S2','129','','','final',1,'129','g/L','120','160',NULL,'2026-01-12 15:00:00.000000','',0,'',3,11);
INSERT INTO "results" VALUES(25,2,'lymphocytes','2026-01-12 08:30:00.000000','2026-01-12',1,'S2','0.9','','','corrected',1,'0.9','10*9/L','1','4',NULL,'2026-01-13 09:00:00.000000','',0,'',5,2);
CREATE INDEX ix_deliveries_due ON deliveries (state, next_attempt_at);
CREATE INDEX ix_files_sha256 ON files (sha256);
CREATE INDEX ix_patients_mrn_loose ON patients (mrn_loose);
CREATE INDEX ix_protocol_texts_protocol_id ON protocol_texts (protocol_id);
CREATE INDEX ix_enrolments_patient_id ON enrolments (patient_id);
CREATE INDEX ix_enrolments_protocol_id ON enrolments (protocol_id);
CREATE INDEX ix_enrolments_wake ON enrolments (next_review_at);
CREATE INDEX ix_quarantine_file_id ON quarantine (file_id);
CREATE INDEX ix_quarantine_mrn ON quarantine (mrn_key, state);
CREATE INDEX ix_quarantine_patient_id ON quarantine (patient_id);
CREATE INDEX ix_quarantine_raw_digest ON quarantine (raw_digest);
CREATE INDEX ix_quarantine_reason_code ON quarantine (reason_code);
CREATE INDEX ix_results_file_id ON results (file_id);
CREATE INDEX ix_results_key ON results (patient_id, analyte, collected_on);
CREATE INDEX ix_alerts_enrolment ON alerts (enrolment_id, state);
CREATE INDEX ix_alerts_state ON alerts (state);
CREATE INDEX ix_events_patient_id ON events (patient_id);
CREATE INDEX ix_alert_history_alert_id ON alert_history (alert_id);
CREATE INDEX ix_delivery_alerts_alert_id ON delivery_alerts (alert_id);
COMMIT;
