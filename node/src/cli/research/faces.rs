//! `aidchain research faces`: the synthetic set as files.

use std::path::Path;

use patient::output::{Console, Failure};
use protocol::synthetic::{self, Shot};
use research::biometrics::Matrix;
use serde::Serialize;
use serde_json::{Value, json};

use super::files;

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    schema: &'static str,
    seed: u64,
    subjects: usize,
    captures: usize,
    out: String,
}

/// Writes the set of a seed into a new folder.
pub(super) fn write(seed: u64, out: &Path, console: &Console) -> Result<(), Failure> {
    files::create_folder(out)?;
    let subjects = synthetic::subjects(seed);
    let mut rows = Vec::new();
    for subject in &subjects {
        let folder = out.join("captures").join(&subject.name);
        files::create_folder(&folder)?;
        for (number, shot) in (1_u32..).zip(&subject.captures) {
            let [template, embedding] = fields(shot);
            let capture = json!({
                "schema": "aidchain.capture/1",
                "modality": "face",
                "template": template,
                "embedding_q": embedding,
            });
            let name = folder.join(format!("{number:02}.json"));
            files::write(&name, format!("{capture}\n"))?;
            rows.push(json!({
                "source": "synthetic",
                "subject": subject.name,
                "capture": number,
                "template": template,
                "embedding_q": embedding,
            }));
        }
    }
    let captures = rows.len();
    let set = json!({
        "modality": "face",
        "template_bits": 2048,
        "bit_order": "msb-first",
        "embedding": "nobody's: 128 numbers of a seeded generator, projected to the template",
        "seed": seed,
        "captures": rows,
    });
    files::write(&out.join("face_templates.json"), format!("{set}\n"))?;
    files::write(&out.join("kat_fe_v1.json"), synthetic::KNOWN_ANSWERS)?;
    let matrix = Matrix::of(&synthetic::projection());
    files::write(&out.join("face_projection_f32le.bin"), matrix.to_bytes())?;
    let report = Report {
        schema: "aidchain.faces/1",
        seed,
        subjects: subjects.len(),
        captures,
        out: out.display().to_string(),
    };
    let text = format!(
        "{captures} captures of {} people who do not exist (seed {seed})\nSet         {}\nCaptures    {}",
        subjects.len(),
        out.join("face_templates.json").display(),
        out.join("captures/S01/01.json").display(),
    );
    console.data(&report, &text)
}

/// Template and embedding in hexadecimal.
fn fields(shot: &Shot) -> [Value; 2] {
    let numbers = shot.embedding.expose().map(i8::cast_unsigned);
    [
        hex::encode(shot.template.expose()).into(),
        hex::encode(numbers).into(),
    ]
}
