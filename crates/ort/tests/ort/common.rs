//! What the tests share: the real library, the models, batches of token ids.

use millrace_contract::{Batch, Input, InputData, OutputData, RunControl, Runner};
use millrace_ort::{DeviceRequest, OrtBackend, OrtOptions, init};
use std::path::{Path, PathBuf};

/// The first of `places` under this folder or one of its parents.
fn upward(places: &[&str]) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .flat_map(|folder| places.iter().map(move |place| folder.join(place)))
        .find(|path| path.exists())
        .unwrap_or_else(|| panic!("none of {places:?} in any parent folder"))
}

/// The ONNX Runtime library: `MILLRACE_ORT_PATH`, else that of the installed onnxruntime-node.
pub fn library() -> PathBuf {
    if let Some(path) = std::env::var_os("MILLRACE_ORT_PATH") {
        return path.into();
    }
    let bin = upward(&["node_modules/onnxruntime-node/bin/napi-v6"]);
    let (folder, file) = match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => ("linux/x64", "libonnxruntime.so.1"),
        ("linux", _) => ("linux/arm64", "libonnxruntime.so.1"),
        ("macos", _) => ("darwin/arm64", "libonnxruntime.1.30.0.dylib"),
        ("windows", "x86_64") => ("win32/x64", "onnxruntime.dll"),
        _ => ("win32/arm64", "onnxruntime.dll"),
    };
    bin.join(folder).join(file)
}

/// The folder of golden models.
pub fn goldens() -> PathBuf {
    upward(&["__test__/fixtures/goldens/models", "shared/goldens/models"])
}

/// A file of the real all-MiniLM-L6-v2, where it is there.
pub fn minilm(file: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3)?;
    let path = root.join("shared/models/all-MiniLM-L6-v2").join(file);
    path.is_file().then_some(path)
}

/// Options for `slots` workers on the CPU, one thread each.
pub fn cpu(slots: usize) -> OrtOptions {
    OrtOptions { threads_per_session: 1, slots, device: DeviceRequest::Cpu, device_ids: vec![] }
}

/// A loaded model for `slots` workers.
pub fn load(path: &Path, slots: usize) -> OrtBackend {
    init(&[library()]).unwrap();
    OrtBackend::load(path, &cpu(slots)).unwrap()
}

/// A tiny text model of the goldens, with inputs `input_ids`, `attention_mask` and maybe `token_type_ids`.
pub fn tiny() -> PathBuf {
    goldens().join("bge/model_optimized.onnx")
}

/// `rows` texts of `len` tokens whose ids differ by `seed`, for a graph with the inputs `names`.
pub fn batch(names: &[&str], rows: usize, len: usize, seed: i64, vocabulary: i64) -> Batch {
    let inputs = names
        .iter()
        .map(|name| {
            let values = (0..i64::try_from(rows * len).unwrap())
                .map(|i| match *name {
                    "input_ids" => (i * 31 + seed * 17 + 5) % vocabulary,
                    "attention_mask" => 1,
                    _ => 0,
                })
                .collect();
            Input { name: (*name).into(), shape: vec![rows, len], data: InputData::I64(values) }
        })
        .collect();
    Batch { inputs, rows, padded_len: len, spans: vec![0..len; rows] }
}

/// Names of a backend's inputs.
pub fn input_names(backend: &OrtBackend) -> Vec<String> {
    use millrace_contract::Backend;
    backend.graph().inputs.iter().map(|port| port.name.clone()).collect()
}

/// The first output as floats.
pub fn first(session: &mut dyn Runner, batch: &Batch) -> millrace_contract::Result<(Vec<usize>, Vec<f32>)> {
    let mut result = None;
    session.run(batch, &[0], &RunControl::new(), &mut |outputs| {
        assert_eq!(outputs.len(), 1);
        let OutputData::F32(values) = outputs[0].data else { panic!("not f32: {:?}", outputs[0].data) };
        result = Some((outputs[0].shape.to_vec(), values.to_vec()));
        Ok(())
    })?;
    Ok(result.expect("the sink was not called"))
}
