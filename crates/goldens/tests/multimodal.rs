//! The golden cases of ColPali and ColModernVBERT.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use millrace_core::{
    engine::Engine,
    image::{ImageInput, ImageLimits},
    job::JobOptions,
    model::ModelRequest,
    multimodal::{self, MultimodalCall, MultimodalFamily, MultimodalInput},
    tokenizer::Overflow,
};
use millrace_goldens::{Case, assert_close, cases, collect, engine, fixed};

fn open(case: &Case) -> Engine<MultimodalFamily> {
    let spec =
        multimodal::resolve(&ModelRequest { dir: case.model_dir(), ..ModelRequest::default() }).unwrap();
    let path = spec.model.graph_path.clone();
    engine(&path, |graph| MultimodalFamily::new(spec, graph.clone()).unwrap())
}

fn text_call(engine: &Engine<MultimodalFamily>, keep_padding: bool) -> MultimodalCall {
    let limit = engine.family().spec().model.limit.tokens;
    MultimodalCall::Text { limit, overflow: Overflow::Truncate, keep_padding }
}

#[test]
fn vectors() {
    let images = MultimodalCall::Image { limits: ImageLimits::default(), auto_orient: false };
    for case in cases(|case| {
        case.text("family") == "late_interaction_multimodal" && case.text("method").starts_with("embed")
    }) {
        let engine = open(&case);
        let is_text = case.text("method") == "embed_text";
        let inputs = || -> Vec<MultimodalInput> {
            case.inputs()
                .into_iter()
                .map(|input| {
                    if is_text {
                        MultimodalInput::Text(input)
                    } else {
                        MultimodalInput::Image(ImageInput::Path(case.dir.join(input)))
                    }
                })
                .collect()
        };
        let call = if is_text { text_call(&engine, true) } else { images };
        let rows = collect(&engine, fixed(case.batch_size()), call, inputs());
        let expected = case.floats("expected.f32");
        let (counts, dim) = (case.row_counts(), case.shape("expected")[1]);
        let (abs, rel) = (case.tolerance("abs"), case.tolerance("rel"));
        assert_eq!(rows.len(), counts.len(), "{}", case.name);
        let mut expected_rows = Vec::new();
        let mut at = 0;
        for (index, (row, count)) in rows.into_iter().zip(counts).enumerate() {
            let row = row.unwrap();
            let what = format!("{} {index}", case.name);
            assert_eq!((row.rows, row.dim), (count, dim), "{what}");
            let wanted = &expected[at * dim..(at + count) * dim];
            assert_close(&what, &row.vectors, wanted, abs, rel);
            expected_rows.push(wanted);
            at += count;
        }
        // Whoever shares the run: the same vectors, without those of padding.
        let call = if is_text { text_call(&engine, false) } else { images };
        let rows = collect(&engine, JobOptions::default(), call, inputs());
        for (index, (row, wanted)) in rows.into_iter().zip(expected_rows).enumerate() {
            let row = row.unwrap();
            assert_eq!(row.rows, row.tokens as usize, "{} {index}: padding", case.name);
            let what = format!("{} {index} planned", case.name);
            assert_close(&what, &row.vectors, &wanted[..row.rows * dim], abs, rel);
        }
        engine.close(None);
    }
}

#[test]
fn token_counts() {
    for case in cases(|case| {
        case.text("family") == "late_interaction_multimodal" && case.text("method") == "token_count"
    }) {
        let spec =
            multimodal::resolve(&ModelRequest { dir: case.model_dir(), ..ModelRequest::default() }).unwrap();
        let path = spec.model.graph_path.clone();
        let backend = millrace_goldens::backend(&path);
        let graph = millrace_contract::Backend::graph(&*backend).clone();
        let family = MultimodalFamily::new(spec, graph).unwrap();
        let limit = family.spec().model.limit.tokens;
        let extended = case.json["options"]["include_extension"].as_bool().unwrap();
        let count = |text: &String| family.count_tokens(text, limit, extended).unwrap();
        let total: usize = case.inputs().iter().map(count).sum();
        assert_eq!(Some(total as u64), case.value("expected.json").as_u64(), "{}", case.name);
    }
}
