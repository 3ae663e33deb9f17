//! The golden images: preprocessing bit by bit, then whole models.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use millrace_contract::{DType, ErrorKind, Pooling};
use millrace_core::{
    image::{self, ImageInput, ImageLimits, Processor},
    job::{JobOptions, OnError},
    postprocess::{DenseOptions, Values},
    vision::{self, VisionCall, VisionFamily, VisionPooling, VisionRequest},
};
use millrace_goldens::{Case, assert_close_by, cases, collect, engine, fixed, root};
use std::path::{Path, PathBuf};

/// Files whose decoders may differ by a level or two.
fn lossy(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|ending| ending == "jpg") || path.ends_with("lossy.webp")
}

/// Pillow's decoding of a lossy file.
fn decoded(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap().to_str().unwrap();
    root().join("images/decoded").join(format!("{name}.png"))
}

fn tensor(processor: &Processor, path: &Path) -> Vec<f32> {
    let limits = ImageLimits::default();
    let image = image::read(ImageInput::Path(path.to_path_buf()), &limits, false).unwrap();
    let pixels = processor.process(image, &limits).unwrap();
    let mut values = vec![0.0; pixels.values()];
    processor.write(&pixels, &mut values);
    values
}

/// Compares the tensors of `inputs`: the files as they are within the lossy tolerance, Pillow's decoding of lossy files
/// exactly.
fn check_pixels(case: &Case, processor: &Processor, inputs: &[String], expected: &[f32], keys: [&str; 2]) {
    let [abs, abs_lossy] = keys.map(|key| case.tolerance(key));
    let mut at = 0;
    for input in inputs {
        let path = case.dir.join(input);
        let what = format!("{} {input}", case.name);
        let values = tensor(processor, &path);
        let end = at + values.len();
        let expected = expected.get(at..end).unwrap_or_else(|| panic!("{what}: more values than expected"));
        let allowed = if lossy(input) { abs_lossy } else { abs };
        assert_close_by(&what, &values, expected, |_| allowed, case.tolerance("rel"));
        if lossy(input) {
            let values = tensor(processor, &decoded(&path));
            assert_close_by(&format!("{what} decoded"), &values, expected, |_| abs, case.tolerance("rel"));
        }
        at = end;
    }
    assert_eq!(at, expected.len(), "{}: fewer values than expected", case.name);
}

#[test]
fn preprocessing() {
    for case in cases(|case| case.text("family") == "image_preprocess") {
        let processor = Processor::from_config(&case.json["config"]).unwrap();
        let expected = case.floats("expected.f32");
        check_pixels(&case, &processor, &case.inputs(), &expected, ["abs", "abs_for_lossy_files"]);
    }
}

#[test]
fn pixels_of_models() {
    for case in cases(|case| case.text("family") == "image" && case.json["pixels"].is_object()) {
        let processor = Processor::load(&case.model_dir()).unwrap();
        let inputs = case.inputs();
        let chosen: Vec<String> = case.json["pixels"]["inputs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|at| inputs[usize::try_from(at.as_u64().unwrap()).unwrap()].clone())
            .collect();
        let expected = case.floats(case.json["pixels"]["file"].as_str().unwrap());
        check_pixels(&case, &processor, &chosen, &expected, ["pixels_abs", "pixels_abs_for_lossy_files"]);
    }
}

fn call() -> VisionCall {
    VisionCall {
        limits: ImageLimits::default(),
        auto_orient: false,
        vector: DenseOptions {
            pooling: Pooling::None,
            normalize: true,
            dimensions: None,
            dtype: DType::Float32,
        },
    }
}

/// The registry of models says of this one what its files do not: which of the tokens is the image's.
fn pooling_of(dir: &Path) -> Option<VisionPooling> {
    dir.ends_with("nomic_vision").then_some(VisionPooling::FirstToken)
}

fn open(dir: PathBuf) -> millrace_core::engine::Engine<VisionFamily> {
    let pooling = pooling_of(&dir);
    let spec = vision::resolve(&VisionRequest { dir, pooling, ..VisionRequest::default() }).unwrap();
    let path = spec.graph_path.clone();
    engine(&path, |graph| {
        let head = vision::bind(&spec, graph).unwrap();
        VisionFamily::new(spec.processor.clone(), head)
    })
}

fn paths(case: &Case) -> Vec<ImageInput> {
    case.inputs().iter().map(|input| ImageInput::Path(case.dir.join(input))).collect()
}

#[test]
fn vectors() {
    for case in cases(|case| case.text("family") == "image") {
        let engine = open(case.model_dir());
        let inputs = case.inputs();
        let expected = case.floats("expected.f32");
        let shape = case.shape("expected");
        assert_eq!(shape[0], inputs.len());
        assert_eq!(engine.family().head().dim, Some(shape[1]), "{}", case.name);
        for options in [JobOptions::default(), fixed(case.batch_size())] {
            let rows = collect(&engine, options, call(), paths(&case));
            assert_eq!(rows.len(), inputs.len());
            for ((input, row), expected) in inputs.iter().zip(rows).zip(expected.chunks(shape[1])) {
                let row = row.unwrap();
                let Values::F32(values) = &row.vector.values else { panic!("not float32") };
                let key = if lossy(input) { "abs_for_lossy_files" } else { "abs" };
                let what = format!("{} {input}", case.name);
                assert_close_by(&what, values, expected, |_| case.tolerance(key), case.tolerance("rel"));
                assert!(row.tokens > 0 && !row.truncated);
            }
        }
        engine.close(None);
    }
}

/// FastEmbed fails a whole batch; here the bad image alone fails, and says why.
#[test]
fn bad_images_fail_alone() {
    for case in cases(|case| case.text("family") == "error" && case.text("error_family") == "image") {
        let engine = open(case.model_dir());
        let options = JobOptions { on_error: OnError::Collect, ..JobOptions::default() };
        let rows = collect(&engine, options, call(), paths(&case));
        let (bad, good) = rows.split_last().unwrap();
        assert!(good.iter().all(Result::is_ok), "{}", case.name);
        let error = bad.as_ref().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ImageInvalid, "{}", case.name);
        assert_eq!(error.index(), Some(good.len() as u64));
        let file = Path::new(case.inputs().last().unwrap()).file_name().unwrap().to_str().unwrap().to_owned();
        assert!(error.message().contains(&file), "{} names no file", error.message());
    }
}

#[test]
fn inputs_of_every_kind_give_one_result() {
    let path = root().join("images/rgba.png");
    let limits = ImageLimits::default();
    let bytes = std::fs::read(&path).unwrap();
    let from_path = image::read(ImageInput::Path(path), &limits, false).unwrap();
    assert_eq!(image::read(ImageInput::Bytes(bytes), &limits, false).unwrap(), from_path);
    let raw = image::RawPixels {
        data: from_path.data().to_vec(),
        width: u32::try_from(from_path.width()).unwrap(),
        height: u32::try_from(from_path.height()).unwrap(),
        channels: 3,
    };
    assert_eq!(image::read(ImageInput::Raw(raw), &limits, false).unwrap(), from_path);
}

#[test]
fn orientation_is_followed_on_wish() {
    let path = root().join("images/exif_rotated.jpg");
    let limits = ImageLimits::default();
    let as_stored = image::read(ImageInput::Path(path.clone()), &limits, false).unwrap();
    let upright = image::read(ImageInput::Path(path), &limits, true).unwrap();
    assert_eq!((as_stored.width(), as_stored.height()), (upright.height(), upright.width()));
}
