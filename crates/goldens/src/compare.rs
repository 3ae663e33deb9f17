//! Comparing with the golden values, `|a - b| <= abs + rel * |b|`.

/// Fails where `actual` is further from `expected` than allowed, and says where it is furthest.
pub fn assert_close(what: &str, actual: &[f32], expected: &[f32], abs: f64, rel: f64) {
    assert_close_by(what, actual, expected, |_| abs, rel);
}

/// As [`assert_close`], with an absolute tolerance for each position.
pub fn assert_close_by(what: &str, actual: &[f32], expected: &[f32], abs: impl Fn(usize) -> f64, rel: f64) {
    assert_eq!(actual.len(), expected.len(), "{what}: number of values");
    let mut worst: Option<(f64, usize)> = None;
    for (at, (a, b)) in actual.iter().zip(expected).enumerate() {
        let difference = (f64::from(*a) - f64::from(*b)).abs();
        let over = difference - abs(at) - rel * f64::from(*b).abs();
        // A NaN compares as neither.
        if over.is_nan() || (over > 0.0 && worst.is_none_or(|(most, _)| over > most)) {
            worst = Some((over, at));
        }
    }
    if let Some((over, at)) = worst {
        panic!("{what}: value {at} is {} instead of {}, {over} too far", actual[at], expected[at]);
    }
}
