"""One small run, written by hand in every format that is read."""

from __future__ import annotations

import base64
import struct
from pathlib import Path

import numpy as np
from scipy.io import netcdf_file

from probatum.problems.gas_chromatography.run import Run, run_of_scans

SCANS = 12


def small_run() -> Run:
    """12 scans of 5 points; m/z on Agilent's grid of 1/20, intensities that 14 bits hold."""
    rng = np.random.default_rng(0)
    scans = []
    for number in range(SCANS):
        masses = np.sort(rng.choice(np.arange(80, 8000), 5, replace=False)) / 20
        scans.append((60.0 + 6 * number, masses, rng.integers(1, 16000, 5).astype(np.float64)))
    return run_of_scans("small", scans, where="here")


def write_csv(run: Run, path: Path) -> None:
    minutes = run.times[run.scan_of_point] / 60
    columns = np.stack([minutes, run.masses, run.intensities], axis=1)
    rows = [",".join(map(repr, row)) for row in columns.tolist()]
    path.write_text("\n".join(["time,mass,intensity", *rows]) + "\n")


def write_andi(run: Run, path: Path) -> None:
    with netcdf_file(path, "w") as file:
        file.createDimension("scan_number", len(run))
        file.createDimension("point_number", len(run.masses))
        file.experiment_title = run.name
        for name, dimension, kind, values in (
            ("scan_acquisition_time", "scan_number", "d", run.times),
            ("scan_index", "scan_number", "i", run.offsets[:-1]),
            ("point_count", "scan_number", "i", np.diff(run.offsets)),
            ("mass_values", "point_number", "d", run.masses),
            ("intensity_values", "point_number", "d", run.intensities / 2),
        ):
            file.createVariable(name, kind, (dimension,))[:] = values
        file.variables["intensity_values"].scale_factor = 2.0


def write_mzml(run: Run, path: Path) -> None:
    spectra = []
    for number, time in enumerate(run.times.tolist()):
        arrays = "".join(
            f'<binaryDataArray encodedLength="0"><cvParam cvRef="MS" accession="MS:1000523" name="64-bit float"/>'
            f'<cvParam cvRef="MS" accession="MS:1000576" name="no compression"/>'
            f'<cvParam cvRef="MS" accession="{accession}" name="{name}"/>'
            f"<binary>{base64.b64encode(values.astype('<f8').tobytes()).decode()}</binary></binaryDataArray>"
            for accession, name, values in zip(
                ("MS:1000514", "MS:1000515"), ("m/z array", "intensity array"), run.scan(number), strict=True
            )
        )
        spectra.append(
            f'<spectrum index="{number}" id="scan={number + 1}" defaultArrayLength="5">'
            '<cvParam cvRef="MS" accession="MS:1000511" name="ms level" value="1"/>'
            '<scanList count="1"><scan><cvParam cvRef="MS" accession="MS:1000016" name="scan start time" '
            f'value="{time / 60!r}" unitCvRef="UO" unitAccession="UO:0000031" unitName="minute"/></scan></scanList>'
            f'<binaryDataArrayList count="2">{arrays}</binaryDataArrayList></spectrum>'
        )
    path.write_text(
        '<?xml version="1.0" encoding="utf-8"?><mzML xmlns="http://psi.hupo.org/ms/mzml" version="1.1.0">'
        f'<run id="small"><spectrumList count="{len(run)}">{"".join(spectra)}</spectrumList></run></mzML>'
    )


def write_mzxml(run: Run, path: Path) -> None:
    scans = []
    for number, time in enumerate(run.times.tolist()):
        pairs = np.stack(run.scan(number), axis=1).astype(">f8").tobytes()
        scans.append(
            f'<scan num="{number + 1}" msLevel="1" peaksCount="5" retentionTime="PT{time!r}S">'
            f'<peaks precision="64" byteOrder="network" contentType="m/z-int" compressionType="none">'
            f"{base64.b64encode(pairs).decode()}</peaks></scan>"
        )
    path.write_text(
        '<?xml version="1.0" encoding="utf-8"?>'
        '<mzXML xmlns="http://sashimi.sourceforge.net/schema_revision/mzXML_3.2">'
        f'<msRun scanCount="{len(run)}">{"".join(scans)}</msRun></mzXML>'
    )


def write_jcamp_dx(run: Run, path: Path) -> None:
    lines = [
        "##TITLE= small",
        "##JCAMP-DX= 5.00 $$ a comment",
        "##DATA TYPE= MASS SPECTRUM",
        "##NTUPLES= MASS SPECTRUM",
    ]
    lines += ["##UNITS= M/Z, RELATIVE ABUNDANCE, SECONDS"]
    for number, time in enumerate(run.times.tolist()):
        lines += [f"##PAGE= T={time!r}", "##NPOINTS= 5", "##DATA TABLE= (XY..XY), PEAKS"]
        lines += [f"{m!r}, {i!r}" for m, i in np.stack(run.scan(number), axis=1).tolist()]
    path.write_text("\n".join([*lines, "##END NTUPLES= MASS SPECTRUM", "##END="]) + "\n")


def write_agilent(run: Run, folder: Path) -> None:
    """A data.ms as ChemStation writes it: big-endian records of a scan's pairs, times in milliseconds."""
    folder.mkdir()
    header = bytearray(0x2F2)
    header[:4] = bytes.fromhex("01320000")
    header[4:24] = bytes([19]) + b"GC / MS Data File  "
    struct.pack_into(">H", header, 0x10A, (0x2F2 + 2) // 2)
    struct.pack_into("<H", header, 0x142, len(run))
    records = bytearray()
    for number, time in enumerate(run.times.tolist()):
        masses, intensities = run.scan(number)
        records += struct.pack(">HIHHHHHH", 0, round(time * 1000), 0, 0, 0, len(masses), 0, 0)
        for mass, intensity in zip(masses, intensities, strict=True):
            records += struct.pack(">HH", round(mass * 20), int(intensity))
        records += bytes(10)
    (folder / "data.ms").write_bytes(bytes(header) + bytes(records))
