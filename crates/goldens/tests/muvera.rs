//! The golden cases of MUVERA, whose random matrices have to equal NumPy's bit for bit.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use millrace_contract::ErrorKind;
use millrace_core::muvera::{Muvera, MuveraOptions};
use millrace_goldens::{Case, cases};
use std::fs;

fn options(case: &Case) -> MuveraOptions {
    let init = &case.json["init_options"];
    let number = |key: &str| init[key].as_u64();
    let size = |key: &str| number(key).map(|value| usize::try_from(value).unwrap());
    let defaults = MuveraOptions::new(size("dim").unwrap());
    MuveraOptions {
        k_sim: number("k_sim").map_or(defaults.k_sim, |value| value.try_into().unwrap()),
        dim_proj: size("dim_proj").unwrap_or(defaults.dim_proj),
        r_reps: size("r_reps").unwrap_or(defaults.r_reps),
        seed: number("random_seed").unwrap_or(defaults.seed),
        ..defaults
    }
}

fn doubles(case: &Case, file: &str) -> Vec<f64> {
    let bytes = fs::read(case.dir.join(file)).unwrap();
    bytes.as_chunks::<8>().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect()
}

#[test]
fn encodings() {
    let mut done = 0;
    for case in cases(|case| case.text("family") == "postprocess") {
        let options = options(&case);
        let muvera = Muvera::new(options).unwrap();
        let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(muvera.hyperplanes()), bits(&doubles(&case, "simhash.f64")), "{}", case.name);
        let signs: Vec<i8> =
            fs::read(case.dir.join("projections.i8")).unwrap().into_iter().map(u8::cast_signed).collect();
        assert_eq!(muvera.projections(), signs, "{}", case.name);

        let (vectors, expected) = (case.floats("vectors.f32"), doubles(&case, "expected.f64"));
        let counts = case.json["vector_counts"].as_array().unwrap();
        assert_eq!(expected.len(), counts.len() * muvera.encoding_len(), "{}", case.name);
        let (abs, rel) = (case.tolerance("abs"), case.tolerance("rel"));
        let mut at = 0;
        for (count, expected) in counts.iter().zip(expected.chunks_exact(muvera.encoding_len())) {
            let values = usize::try_from(count.as_u64().unwrap()).unwrap() * options.dim;
            let vectors = &vectors[at..at + values];
            at += values;
            let encoding = match case.text("method") {
                "process_query" => muvera.query(vectors),
                _ => muvera.document(vectors),
            };
            for (place, (a, b)) in encoding.unwrap().iter().zip(expected).enumerate() {
                assert!((a - b).abs() <= abs + rel * b.abs(), "{} {place}: {a} instead of {b}", case.name);
            }
        }
        done += 1;
    }
    assert_eq!(done, 6);
}

#[test]
fn errors() {
    let mut done = 0;
    for case in cases(|case| case.text("error_family") == "postprocess") {
        match Muvera::new(options(&case)) {
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::InvalidOption);
                assert!(error.message().contains("dimProj"), "{error}");
            }
            Ok(muvera) => {
                let error = muvera.document(&case.floats("vectors.f32")).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::InputInvalid);
            }
        }
        done += 1;
    }
    assert_eq!(done, 2);
}

#[test]
fn what_is_no_vector_is_refused() {
    let muvera = Muvera::new(MuveraOptions { dim_proj: 2, ..MuveraOptions::new(4) }).unwrap();
    for vectors in [&[1.0; 5][..], &[1.0, 2.0, f32::NAN, 4.0]] {
        assert_eq!(muvera.query(vectors).unwrap_err().kind(), ErrorKind::InputInvalid);
    }
    for wrong in [
        MuveraOptions { dim: 0, ..muvera.options() },
        MuveraOptions { dim_proj: 0, ..muvera.options() },
        MuveraOptions { r_reps: 0, ..muvera.options() },
        MuveraOptions { r_reps: usize::MAX, ..muvera.options() },
        MuveraOptions { k_sim: 40, ..muvera.options() },
    ] {
        assert_eq!(Muvera::new(wrong).unwrap_err().kind(), ErrorKind::InvalidOption, "{wrong:?}");
    }
    let one = Muvera::new(MuveraOptions { k_sim: 0, dim_proj: 4, r_reps: 1, ..muvera.options() }).unwrap();
    assert_eq!(one.document(&[1.0, 2.0, 3.0, 4.0]).unwrap(), [1.0, 2.0, 3.0, 4.0]);
}
