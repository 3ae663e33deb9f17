//! `preprocessor_config.json` to a [`Processor`]: the image processors of CLIP, SigLIP, ConvNeXT, Jina CLIP and
//! Idefics3, with FastEmbed's defaults.

use super::{
    Filter, Processor,
    processor::{Framing, Layout, Size},
    values::Scale,
};
use serde_json::Value;

/// Below this edge ConvNeXT scales to a larger image and crops; from it on it squashes.
const CONVNEXT_SQUASH: usize = 384;

/// What ConvNeXT's crop leaves of the scaled edge, where the file is silent.
const CONVNEXT_CROP: f64 = 0.875;

/// Side of Idefics3's tiles, where the file is silent.
const TILE_SIDE: usize = 512;

/// Longest side that a configuration may ask for; the largest models take about 1,000.
const MAX_SIDE: usize = 16_384;

type Parsed<T> = Result<T, String>;

impl Processor {
    /// The processor of a configuration; an error says which key is wrong.
    pub fn from_config(config: &Value) -> Result<Self, String> {
        let kind = match &config["image_processor_type"] {
            Value::Null => "CLIPImageProcessor",
            Value::String(kind) => kind.as_str(),
            other => return Err(format!("image_processor_type is {other}")),
        };
        let (layout, filter) = match kind.strip_suffix("Fast").unwrap_or(kind) {
            "CLIPImageProcessor" | "SiglipImageProcessor" => clip(config)?,
            "ConvNextFeatureExtractor" | "ConvNextImageProcessor" => convnext(config)?,
            "JinaCLIPImageProcessor" => jina(config)?,
            "Idefics3ImageProcessor" => idefics(config)?,
            other => return Err(format!("image_processor_type {other} is not supported")),
        };
        Ok(Self::new(layout, filter, &scale(config)?))
    }
}

fn clip(config: &Value) -> Parsed<(Layout, Filter)> {
    let size = if flag(config, "do_resize", false)? {
        let size = &config["size"];
        if size.get("shortest_edge").is_some() {
            Size::Shortest(side(&size["shortest_edge"], "size.shortest_edge")?)
        } else if size.get("height").is_some() && size.get("width").is_some() {
            Size::Exact(side(&size["width"], "size.width")?, side(&size["height"], "size.height")?)
        } else if size.is_u64() {
            Size::Shortest(side(size, "size")?) // older files have the number alone
        } else {
            return Err(format!("size is {size}, expected shortest_edge, or height and width"));
        }
    } else {
        Size::Original
    };
    let framing = if flag(config, "do_center_crop", false)? {
        let crop = &config["crop_size"];
        if crop.is_object() {
            Framing::Center(
                side(&crop["width"], "crop_size.width")?,
                side(&crop["height"], "crop_size.height")?,
            )
        } else {
            let edge = side(crop, "crop_size")?;
            Framing::Center(edge, edge)
        }
    } else {
        Framing::Whole
    };
    Ok((Layout::Single { size, framing }, filter(config, "resample", Filter::Bicubic)?))
}

fn convnext(config: &Value) -> Parsed<(Layout, Filter)> {
    let filter = filter(config, "resample", Filter::Bicubic)?;
    if !flag(config, "do_resize", true)? {
        return Ok((Layout::Single { size: Size::Original, framing: Framing::Whole }, filter));
    }
    let edge = side(&config["size"]["shortest_edge"], "size.shortest_edge")?;
    if edge >= CONVNEXT_SQUASH {
        return Ok((Layout::Single { size: Size::Exact(edge, edge), framing: Framing::Whole }, filter));
    }
    let part = match &config["crop_pct"] {
        Value::Null => CONVNEXT_CROP,
        value => value
            .as_f64()
            .filter(|part| *part > 0.0 && *part <= 1.0)
            .ok_or_else(|| format!("crop_pct is {value}, expected a number above 0 and at most 1"))?,
    };
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "below 384 / crop_pct; the fraction is cut"
    )]
    let scaled = (edge as f64 / part) as usize;
    if scaled > MAX_SIDE {
        return Err(format!("crop_pct {part} makes an edge of {scaled}"));
    }
    Ok((Layout::Single { size: Size::Shortest(scaled), framing: Framing::Center(edge, edge) }, filter))
}

fn jina(config: &Value) -> Parsed<(Layout, Filter)> {
    let edge = side(&config["size"], "size")?;
    let mode = config.get("resize_mode").map_or(Some("shortest"), Value::as_str);
    let size = if mode == Some("shortest") { Size::Shortest(edge) } else { Size::Original };
    let framing = Framing::Square(edge, fill_color(&config["fill_color"])?);
    Ok((Layout::Single { size, framing }, filter(config, "interpolation", Filter::Bicubic)?))
}

fn idefics(config: &Value) -> Parsed<(Layout, Filter)> {
    let longest = if flag(config, "do_resize", false)? {
        Some(side(&config["size"]["longest_edge"], "size.longest_edge")?)
    } else {
        None
    };
    let edge = match &config["max_image_size"]["longest_edge"] {
        Value::Null => TILE_SIDE,
        value => side(value, "max_image_size.longest_edge")?,
    };
    let split = flag(config, "do_image_splitting", false)?;
    Ok((Layout::Tiled { longest, side: edge, split }, filter(config, "resample", Filter::Lanczos)?))
}

fn scale(config: &Value) -> Parsed<Scale> {
    let factor = if flag(config, "do_rescale", true)? {
        Some(match &config["rescale_factor"] {
            Value::Null => 1.0 / 255.0,
            value => value
                .as_f64()
                .filter(|factor| factor.is_finite())
                .ok_or_else(|| format!("rescale_factor is {value}, expected a number"))?,
        })
    } else {
        None
    };
    let normal = if flag(config, "do_normalize", false)? {
        Some((channels(config, "image_mean")?, channels(config, "image_std")?))
    } else if config.get("mean").is_some() && config.get("std").is_some() {
        Some((channels(config, "mean")?, channels(config, "std")?))
    } else {
        None
    };
    if let Some((_, std)) = normal
        && std.contains(&0.0)
    {
        return Err("the standard deviation of a channel is 0".to_owned());
    }
    Ok(Scale { factor, normal })
}

fn flag(config: &Value, key: &str, default: bool) -> Parsed<bool> {
    match &config[key] {
        Value::Null => Ok(default),
        Value::Bool(value) => Ok(*value),
        other => Err(format!("{key} is {other}, expected true or false")),
    }
}

fn side(value: &Value, key: &str) -> Parsed<usize> {
    value
        .as_u64()
        .and_then(|side| usize::try_from(side).ok())
        .filter(|side| (1..=MAX_SIDE).contains(side))
        .ok_or_else(|| format!("{key} is {value}, expected an integer from 1 to {MAX_SIDE}"))
}

fn filter(config: &Value, key: &str, default: Filter) -> Parsed<Filter> {
    match &config[key] {
        Value::Null => Some(default),
        Value::String(name) => Filter::of_name(name),
        value => value.as_u64().and_then(Filter::of_number),
    }
    .ok_or_else(|| format!("{key} is {}, expected one of Pillow's filters", config[key]))
}

/// One number for all channels, or three.
fn channels(config: &Value, key: &str) -> Parsed<[f32; 3]> {
    let expected = || format!("{key} is {}, expected a number or three", config[key]);
    #[expect(clippy::cast_possible_truncation, reason = "the models compute in float32")]
    let number = |value: &Value| value.as_f64().map(|number| number as f32).ok_or_else(expected);
    match &config[key] {
        Value::Array(values) => match values.as_slice() {
            [red, green, blue] => Ok([number(red)?, number(green)?, number(blue)?]),
            _ => Err(expected()),
        },
        value => number(value).map(|number| [number; 3]),
    }
}

/// Pillow's colours: a number holds red in its lowest byte.
fn fill_color(value: &Value) -> Parsed<[u8; 3]> {
    let unknown = || format!("fill_color is {value}, expected an integer, three of them, or a hex colour");
    match value {
        Value::Null => Ok([0; 3]),
        Value::Number(_) => {
            let [red, green, blue, ..] = value.as_u64().ok_or_else(unknown)?.to_le_bytes();
            Ok([red, green, blue])
        }
        Value::Array(values) => {
            let bytes: Option<Vec<u8>> = values
                .iter()
                .map(|value| value.as_u64().and_then(|value| u8::try_from(value).ok()))
                .collect();
            bytes.and_then(|bytes| bytes.try_into().ok()).ok_or_else(unknown)
        }
        Value::String(name) => match name.as_str() {
            "black" => Ok([0; 3]),
            "white" => Ok([255; 3]),
            hex => {
                let digits = hex.strip_prefix('#').filter(|digits| digits.len() == 6).ok_or_else(unknown)?;
                let [_, red, green, blue] =
                    u32::from_str_radix(digits, 16).map_err(|_| unknown())?.to_be_bytes();
                Ok([red, green, blue])
            }
        },
        _ => Err(unknown()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn colours() {
        assert_eq!(fill_color(&json!(90)).unwrap(), [90, 0, 0]);
        assert_eq!(fill_color(&json!([1, 2, 3])).unwrap(), [1, 2, 3]);
        assert_eq!(fill_color(&json!("#010203")).unwrap(), [1, 2, 3]);
        assert!(fill_color(&json!("no colour")).is_err());
    }

    #[test]
    fn wrong_values_are_named() {
        let why = |config: Value| Processor::from_config(&config).unwrap_err();
        assert!(why(json!({ "do_resize": true, "size": { "longest_edge": 3 } })).contains("size"));
        assert!(why(json!({ "do_resize": true, "size": { "shortest_edge": 0 } })).contains("shortest_edge"));
        assert!(why(json!({ "image_processor_type": "Other" })).contains("Other"));
        assert!(why(json!({ "resample": 9 })).contains("resample"));
        assert!(
            why(json!({ "do_normalize": true, "image_mean": [1, 2], "image_std": 1 })).contains("image_mean")
        );
        assert!(why(json!({ "mean": 0, "std": 0 })).contains("deviation"));
    }

    #[test]
    fn the_size_of_tiles_is_known_ahead() {
        let size = |config: Value| Processor::from_config(&config).unwrap().tile_size();
        assert_eq!(size(json!({ "do_resize": true, "size": { "height": 4, "width": 6 } })), Some((4, 6)));
        assert_eq!(size(json!({ "do_resize": true, "size": { "shortest_edge": 4 } })), None);
        assert_eq!(size(json!({ "do_center_crop": true, "crop_size": 5 })), Some((5, 5)));
    }
}
