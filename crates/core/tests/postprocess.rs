//! Dense rows: numbers computed by hand, and properties over random ones.

use half::f16;
use millrace_contract::{DType, ErrorKind, Output, OutputData, Pooling};
use millrace_core::postprocess::{DenseOptions, Row, Values, ValuesMut};
use proptest::prelude::*;

const RAW: DenseOptions =
    DenseOptions { pooling: Pooling::None, normalize: false, dimensions: None, dtype: DType::Float32 };

/// Two rows of three tokens of two dimensions; the second row has two tokens.
const TOKENS: [f32; 12] = [1.0, 2.0, 3.0, -4.0, 5.0, 0.0, 9.0, -2.0, 1.0, 4.0, 100.0, 100.0];

fn output<'a>(shape: &'a [usize], data: OutputData<'a>) -> Output<'a> {
    Output { name: "y", shape, data }
}

fn floats(row: &Row) -> &[f32] {
    match &row.values {
        Values::F32(values) => values,
        other => panic!("{other:?} is not float32"),
    }
}

/// A row `[dim]` taken as it is.
fn plain(options: DenseOptions, values: &[f32]) -> millrace_contract::Result<Row> {
    options.row(&output(&[1, values.len()], OutputData::F32(values)), 0, 3, 5, false)
}

#[test]
fn poolings_by_hand() {
    let output = output(&[2, 3, 2], OutputData::F32(&TOKENS));
    for (pooling, full, short, left) in [
        (Pooling::Cls, [1.0, 2.0], [9.0, -2.0], [1.0, 4.0]),
        (Pooling::LastToken, [5.0, 0.0], [1.0, 4.0], [100.0, 100.0]),
        (Pooling::Max, [5.0, 2.0], [9.0, 4.0], [100.0, 100.0]),
        (Pooling::Mean, [3.0, -2.0 / 3.0], [5.0, 1.0], [50.5, 52.0]),
    ] {
        let options = DenseOptions { pooling, ..RAW };
        assert_eq!(floats(&options.row(&output, 0, 3, 3, false).unwrap()), full, "{pooling:?}");
        assert_eq!(floats(&options.row(&output, 1, 2, 3, false).unwrap()), short, "{pooling:?}");
        assert_eq!(floats(&options.row(&output, 1, 2, 3, true).unwrap()), left, "{pooling:?} left");
        assert_eq!(floats(&options.row(&output, 1, 0, 3, true).unwrap()), [0.0, 0.0], "{pooling:?} empty");
    }
}

#[test]
fn every_element_type_is_read() {
    let options = DenseOptions { pooling: Pooling::Mean, ..RAW };
    let wide: Vec<f64> = TOKENS.iter().map(|&x| f64::from(x)).collect();
    let half: Vec<f16> = TOKENS.iter().map(|&x| f16::from_f32(x)).collect();
    let bytes: Vec<i8> = vec![1, 2, 3, -4, 5, 0, 9, -2, 1, 4, 100, 100];
    let unsigned: Vec<u8> = bytes.iter().map(|x| x.unsigned_abs()).collect();
    let ints: Vec<i32> = bytes.iter().map(|&x| i32::from(x)).collect();
    let longs: Vec<i64> = bytes.iter().map(|&x| i64::from(x)).collect();
    for data in [
        OutputData::F64(&wide),
        OutputData::F16(&half),
        OutputData::I8(&bytes),
        OutputData::I32(&ints),
        OutputData::I64(&longs),
    ] {
        let row = options.row(&output(&[2, 3, 2], data), 1, 2, 3, false).unwrap();
        assert_eq!(floats(&row), [5.0, 1.0], "{data:?}");
    }
    let row = options.row(&output(&[2, 3, 2], OutputData::U8(&unsigned)), 1, 2, 3, false).unwrap();
    assert_eq!(floats(&row), [5.0, 3.0]);
    // More dimensions than are converted at once.
    let many: Vec<f16> = (0..300u16).map(|n| f16::from_f32(f32::from(n % 150))).collect();
    let row = options.row(&output(&[1, 2, 150], OutputData::F16(&many)), 0, 2, 2, false).unwrap();
    let expected: Vec<f32> = (0..150u16).map(f32::from).collect();
    assert_eq!(floats(&row), expected);
}

#[test]
fn normalising_and_cutting_by_hand() {
    let unit = DenseOptions { normalize: true, ..RAW };
    assert_eq!(floats(&plain(unit, &[3.0, 4.0]).unwrap()), [0.6, 0.8]);
    assert_eq!(floats(&plain(unit, &[0.0, 0.0]).unwrap()), [0.0, 0.0]);
    // The norm is clamped at 1e-12: a shorter vector does not reach length 1.
    assert_eq!(floats(&plain(unit, &[1e-20, 0.0]).unwrap()), [1e-8, 0.0]);
    let cut = DenseOptions { dimensions: Some(2), ..unit };
    let row = plain(cut, &[3.0, 4.0, 12.0]).unwrap();
    assert_eq!((floats(&row), row.dim), (&[0.6, 0.8][..], 2));
    let raw = DenseOptions { dimensions: Some(1), ..RAW };
    assert_eq!(floats(&plain(raw, &[3.0, 4.0]).unwrap()), [3.0]);
}

#[test]
fn dimensions_are_checked_up_front() {
    let ask = |dimensions, dim| DenseOptions { dimensions, ..RAW }.validate(dim);
    assert_eq!(ask(None, Some(384)), Ok(()));
    assert_eq!(ask(Some(384), Some(384)), Ok(()));
    assert_eq!(ask(Some(9999), None), Ok(()));
    for (asked, dim, part) in
        [(385, Some(384), "1 to 384"), (0, Some(384), "1 to 384"), (0, None, "positive")]
    {
        let error = ask(Some(asked), dim).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidOption);
        assert!(error.message().contains(part) && error.message().contains("dimensions"), "{error}");
    }
}

#[test]
fn delivered_types_by_hand() {
    let of = |dtype, values: &[f32]| plain(DenseOptions { dtype, ..RAW }, values).unwrap();
    assert_eq!(of(DType::Float16, &[1.0, -2.5]).values, Values::F16([0x3c00, 0xc100].into()));

    let int8 = of(DType::Int8, &[254.0, -254.0, 127.0, 1.0, 0.0]);
    assert_eq!((int8.values, int8.scale), (Values::I8([127, -127, 64, 1, 0].into()), Some(2.0)));
    let uint8 = of(DType::Uint8, &[254.0, -254.0, 127.0, 1.0, 0.0]);
    assert_eq!((uint8.values, uint8.scale), (Values::U8([255, 1, 192, 129, 128].into()), Some(2.0)));
    let zero = of(DType::Int8, &[0.0, 0.0]);
    assert_eq!((zero.values, zero.scale), (Values::I8([0, 0].into()), Some(0.0)));
    assert_eq!(of(DType::Int8, &[1e-44, -1e-45]).scale, Some(0.0));

    // 1 0 1 0 0 0 0 1, then 1 and seven zeros to fill the byte.
    let signs = [0.1, -0.1, 3.0, 0.0, -0.0, -9.0, -1.0, 1e-9, 7.0];
    let bits = of(DType::Ubinary, &signs);
    assert_eq!((bits.values, bits.scale, bits.dim), (Values::U8([0b1010_0001, 0b1000_0000].into()), None, 9));
    assert_eq!(of(DType::Binary, &signs).values, Values::I8([33, 0].into()));
    assert_eq!(of(DType::Binary, &[-1.0; 8]).values, Values::I8([-128].into()));
    for dtype in [DType::Binary, DType::Int8, DType::Float16] {
        let options = DenseOptions { dtype, dimensions: Some(9), ..RAW };
        assert_eq!(options.row_len(384), if dtype == DType::Binary { 2 } else { 9 });
    }
}

#[test]
fn nothing_that_is_not_finite_leaves() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for normalize in [false, true] {
            for dtype in
                [DType::Float32, DType::Float16, DType::Int8, DType::Uint8, DType::Binary, DType::Ubinary]
            {
                let error = plain(DenseOptions { normalize, dtype, ..RAW }, &[1.0, bad]).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::InferenceFailed, "{bad} {normalize} {dtype:?}");
            }
        }
        for pooling in [Pooling::Mean, Pooling::Max, Pooling::Cls, Pooling::LastToken] {
            let mut tokens = TOKENS;
            tokens[4] = bad;
            tokens[0] = bad;
            let output = output(&[2, 3, 2], OutputData::F32(&tokens));
            let options = DenseOptions { pooling, ..RAW };
            let outcome = options.row(&output, 0, 3, 3, false);
            let hidden = pooling == Pooling::Max && bad == f32::NEG_INFINITY;
            assert_eq!(outcome.is_err(), !hidden, "{pooling:?} {bad}");
            // Its batch-mate is untouched.
            assert!(options.row(&output, 1, 2, 3, false).is_ok());
        }
    }
    // Finite as float32, not as float16.
    let error = plain(DenseOptions { dtype: DType::Float16, ..RAW }, &[1e6]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InferenceFailed);
    let wide = [1e300f64];
    let error = RAW.row(&output(&[1, 1], OutputData::F64(&wide)), 0, 1, 1, false).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InferenceFailed);
    // The length of a vector may overflow where its values do not.
    let long = [1e200f64, 1.0];
    let unit = DenseOptions { normalize: true, ..RAW };
    let error = unit.row(&output(&[1, 2], OutputData::F64(&long)), 0, 1, 1, false).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InferenceFailed);
    // Padding may hold anything.
    let mut tokens = TOKENS;
    tokens[10] = f32::NAN;
    let mean = DenseOptions { pooling: Pooling::Mean, ..RAW };
    assert!(mean.row(&output(&[2, 3, 2], OutputData::F32(&tokens)), 1, 2, 3, false).is_ok());
}

#[test]
fn shapes_that_do_not_fit_are_errors() {
    let mean = DenseOptions { pooling: Pooling::Mean, ..RAW };
    let data = OutputData::F32(&TOKENS);
    for (options, shape, row, item, padded, kind) in [
        (mean, &[2, 3, 2][..], 2, 3, 3, ErrorKind::ModelInvalid),
        (mean, &[2, 3, 2], 0, 3, 4, ErrorKind::ModelInvalid),
        (mean, &[2, 3, 2], 0, 4, 3, ErrorKind::Internal),
        (mean, &[6, 2], 0, 3, 3, ErrorKind::ModelInvalid),
        (RAW, &[2, 3, 2], 0, 3, 3, ErrorKind::ModelInvalid),
        (RAW, &[2, 3], 0, 3, 3, ErrorKind::ModelInvalid),
        (RAW, &[12], 0, 3, 3, ErrorKind::ModelInvalid),
        (mean, &[2, 3, 1, 2], 0, 3, 3, ErrorKind::ModelInvalid),
        (mean, &[4, 3, 0], 0, 3, 3, ErrorKind::ModelInvalid),
        (mean, &[], 0, 3, 3, ErrorKind::ModelInvalid),
    ] {
        let error = options.row(&output(shape, data), row, item, padded, false).unwrap_err();
        assert_eq!(error.kind(), kind, "{shape:?}: {error}");
    }
    let mut small = [0.0; 1];
    let error =
        RAW.write(&output(&[6, 2], data), 0, 1, 1, false, &mut ValuesMut::F32(&mut small)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
}

#[test]
fn rows_go_into_the_slots_of_a_batch() {
    let mean = DenseOptions { pooling: Pooling::Mean, dtype: DType::Int8, ..RAW };
    let output = output(&[2, 3, 2], OutputData::F32(&TOKENS));
    let mut batch = Values::zeroed(DType::Int8, 4);
    let ValuesMut::I8(all) = batch.as_mut() else { panic!("not int8") };
    let mut scales = Vec::new();
    for (row, slot) in all.chunks_mut(2).enumerate() {
        scales.push(mean.write(&output, row, 3 - row, 3, false, &mut ValuesMut::I8(slot)).unwrap());
    }
    for row in 0..2 {
        let alone = mean.row(&output, row, 3 - row, 3, false).unwrap();
        let (Values::I8(all), Values::I8(one)) = (&batch, &alone.values) else { panic!("not int8") };
        assert_eq!((&all[row * 2..row * 2 + 2], scales[row]), (&one[..], alone.scale));
    }
}

fn vectors() -> impl Strategy<Value = Vec<f32>> {
    prop::collection::vec(-1e3f32..1e3, 1..200)
}

proptest! {
    #[test]
    fn normalised_vectors_have_length_one(values in vectors(), keep in 1..200usize) {
        let options = DenseOptions { normalize: true, dimensions: Some(keep.min(values.len())), ..RAW };
        prop_assume!(values[..keep.min(values.len())].iter().any(|x| x.abs() > 1e-6));
        let row = plain(options, &values).unwrap();
        let norm: f64 = floats(&row).iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
        prop_assert!((norm - 1.0).abs() < 1e-6, "{norm}");
    }

    #[test]
    fn bytes_are_within_half_a_step(values in vectors(), unsigned: bool) {
        let dtype = if unsigned { DType::Uint8 } else { DType::Int8 };
        let row = plain(DenseOptions { dtype, ..RAW }, &values).unwrap();
        let scale = f64::from(row.scale.unwrap());
        let levels: Vec<f64> = match &row.values {
            Values::I8(levels) => levels.iter().map(|&level| f64::from(level)).collect(),
            Values::U8(levels) => levels.iter().map(|&level| f64::from(level) - 128.0).collect(),
            other => panic!("{other:?} are not bytes"),
        };
        prop_assert_eq!(levels.len(), values.len());
        for (level, &x) in levels.iter().zip(&values) {
            prop_assert!((level * scale - f64::from(x)).abs() <= scale * 0.5001, "{level} {scale} {x}");
        }
    }

    #[test]
    fn dimensions_keep_their_order(values in vectors()) {
        for dtype in [DType::Float16, DType::Int8] {
            let row = plain(DenseOptions { dtype, ..RAW }, &values).unwrap();
            let delivered: Vec<f32> = match &row.values {
                Values::F16(bits) => bits.iter().map(|&bits| f16::from_bits(bits).to_f32()).collect(),
                Values::I8(levels) => levels.iter().map(|&level| f32::from(level)).collect(),
                other => panic!("{other:?}"),
            };
            for (i, j) in (1..values.len()).map(|j| (j - 1, j)) {
                if values[i] < values[j] {
                    prop_assert!(delivered[i] <= delivered[j]);
                }
            }
        }
        let row = plain(DenseOptions { dtype: DType::Ubinary, ..RAW }, &values).unwrap();
        let Values::U8(bytes) = &row.values else { panic!("no bytes") };
        for (at, &x) in values.iter().enumerate() {
            prop_assert_eq!(bytes[at / 8] >> (7 - at % 8) & 1 == 1, x > 0.0);
        }
    }

    #[test]
    fn a_row_does_not_depend_on_its_padding(
        tokens in prop::collection::vec(-10f32..10.0, 4 * 6),
        pooling in prop::sample::select(vec![Pooling::Cls, Pooling::Mean, Pooling::Max, Pooling::LastToken]),
        pad in 0..5usize,
        left: bool,
    ) {
        let options = DenseOptions { pooling, normalize: true, ..RAW };
        let alone = options.row(&output(&[1, 6, 4], OutputData::F32(&tokens)), 0, 6, 6, left).unwrap();
        let filling = vec![f32::NAN; pad * 4];
        let padded = if left { [filling, tokens].concat() } else { [tokens, filling].concat() };
        let row = options.row(&output(&[1, 6 + pad, 4], OutputData::F32(&padded)), 0, 6, 6 + pad, left).unwrap();
        prop_assert_eq!(row, alone);
    }
}
