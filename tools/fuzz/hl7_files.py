"""HL7 v2 messages as they come: several in a file, several orders, batches and frames."""

from __future__ import annotations

from tools.fuzz.mutation import mutator

_ORU = """\
MSH|^~\\&|LAB|NORTH|M|C|20260302110000||ORU^R01^ORU_R01|1|P|2.5.1|||||||8859/1
PID|1||F1^^^NORTH^MR~99^^^NHS^NH||Keller^Anna||19700501|F
ORC|RE|P1|L1
OBR|1|P1|L1|CBC^Blood count^L|||202603020830|||||||||||||||20260302104500|||F
NTE|1||fasting
OBX|1|NM|6690-2^WBC^LN||5.4|10*9/L|3.9-11.2|N|||F|||202603020830
NTE|1||platelet clumps\\.br\\seen
OBX|2|SN|PLT^Platelets^L^777-3^Platelets^LN||<^20|x10\\S\\9/L|[ 150 - 450 ]|LL|||P
OBX|3|CE|NEUT^Neutrophils^L||NA^Not assayed^L|G/L|||||X
SPM|1|P1&M^L1&N||BLD^Blood^HL70487|||||||||||||202603020825
"""
_MIXED = """\
FHS|^~\\&|LAB
BHS|^~\\&|LAB
MSH|^~\\&|LAB|NORTH|M|C|20260302110000||ADT^A40|2|P|2.3
PID|1||F2^^^NORTH^MR
MRG|F9^^^NORTH^MR
MSH|^~\\&#|LAB|NORTH|M|C|20260302110000+0100||ORU^R01|3|P|2.7
PID|1||F3
OBR|1||L2|^^^LFT^Liver|||20260302|20260302
OBX|1|NM|^^^ALT^Alanine aminotransferase||40~41|U/L|<50||||C
OBX|2|TX|NOTE||first line
and a second||||||F
BTS|2
FTS|1
"""
_TOKENS = (
    "", " ", '""', "F1", "F9", "0.1", "<0.1", "<^0.1", "^0.1", "1e999", "NaN", "-3", "4.1~4.2",
    "haemolysed", "see comment", "20260302", "2026", "202613450000", "20260302083000.1234-0700",
    "99991231235959+1400", "F", "P", "C", "W", "X", "D", "U", "I", "Q", "NM", "SN", "CE", "ED",
    "10*9/L", "x10^9/L", "%", "furlong", "6690-2^WBC^LN", "^^^WBC", "ORU^R01", "ADT^A40", "MDM^T02",
    "ACK", "UNICODE UTF-8", "ISO IR87", "GB 18030-2000", "2.3", "9", "MSH", "MSH|^~\\&|", "OBX",
    "OBX|1|NM|PLT||5|G/L|||||F", "PID|1||F2", "SPM", "NTE|1||x", "\x0b", "\x1c\r", "\\F\\",
    "\\X0D0A\\", "\\X00\\", "\\.br\\", "\\", "^" * 50, "~" * 50, "&" * 50, "|" * 200, "x" * 5000,
    "9" * 400, "\u202e", "\ufeff",
)  # fmt: skip

MUTATE = mutator([token.encode() for token in _TOKENS], b"|^~&\\", b"\r")


def corpus() -> list[bytes]:
    """Messages alone, mixed in a batch, in frames, and with other marks."""
    plain = [text.replace("\n", "\r").encode() for text in (_ORU, _MIXED)]
    framed = b"".join(b"\x0b" + plain[0] + b"\x1c\r" for _ in range(2))
    others = plain[0].translate(bytes.maketrans(b"|^~\\&", b"$%*!@"))
    return [*plain, framed, others, _ORU.encode(), _MIXED.replace("\n", "\r\n").encode()]
