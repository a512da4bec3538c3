//! What a model takes, held against what its recipe gives: f32 `[N, 3, height, width]`.
//!
//! Other orders and types are taken where their meaning is certain, by operators that are put before the model
//! ([`headwater_onnx::adapt`]). Where it is not, the model is refused with the setting that says it.
//!
//! ```text
//! float32 [N, 3, H, W]   as it is
//! [N, H, W, 3]           where the axes say so, else the first operator that treats axes apart, else layout=
//! float16                rounded from float32
//! uint8                  the pixels as they are before normalize: by a recipe without normalize, or with input=uint8
//! ```

use headwater_onnx::{Dim, InputElement, InputSettings, Layout, Step, ValueFacts};
use headwater_types::recipe::TensorScale;
use headwater_types::{ModelName, Recipe};

use crate::error::ModelError;

/// How the tensors of a recipe become a model's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ImageInput {
    layout: Layout,
    element: InputElement,
    /// The batch size that the model was exported for, where it takes no other.
    pub(crate) fixed_batch: Option<u64>,
}

/// The largest value of a pixel.
const WHITE: f32 = 255.0;

// === impl ImageInput ===

impl ImageInput {
    /// What these inputs take of a recipe's tensors. `layout_of` is asked for the order that the operators tell, where
    /// the axes do not.
    ///
    /// # Errors
    /// Inputs that take no images of the recipe's size, or whose meaning is not certain.
    pub(crate) fn of(
        name: &ModelName,
        inputs: &[ValueFacts],
        (recipe, settings): (&Recipe, InputSettings),
        layout_of: impl FnOnce(&str) -> Result<Option<Layout>, ModelError>,
    ) -> Result<Self, ModelError> {
        let wrong = || wrong(name, inputs, recipe);
        let [input] = inputs else { return Err(wrong()) };
        let Some([batch, axes @ ..]) = input.dims.as_deref() else { return Err(wrong()) };
        let axes: &[Dim; 3] = axes.try_into().map_err(|_| wrong())?;
        let types = InputElement::ALL.into_iter().find(|element| Some(element.element()) == input.element);
        let element = types.ok_or_else(wrong)?;
        let other = |setting: &'static str, value: &'static str| {
            let (name, input) = (name.clone(), input.to_string());
            ModelError::OtherInput { name, setting, value, input }
        };
        if let Some(given) = settings.element.filter(|given| *given != element) {
            return Err(other("input", given.name()));
        }
        if element == InputElement::Uint8 && settings.element.is_none() && recipe.stages().normalize.is_some() {
            let (name, recipe) = (name.clone(), recipe.name().to_string());
            return Err(ModelError::Pixels { name, input: input.to_string(), recipe });
        }
        let fitting: Vec<_> = Layout::ALL.into_iter().filter(|layout| fits(*layout, axes, recipe)).collect();
        let layout = match (settings.layout, &fitting[..]) {
            (_, []) => return Err(wrong()),
            (Some(given), fitting) if fitting.contains(&given) => given,
            (Some(given), _) => return Err(other("layout", given.name())),
            (None, [only]) => *only,
            (None, _) => layout_of(&input.name)?
                .ok_or_else(|| ModelError::UnknownLayout { name: name.clone(), input: input.to_string() })?,
        };
        let fixed_batch = match batch {
            Dim::Fixed(1) => Some(1),
            Dim::Fixed(batch) => return Err(ModelError::FixedBatch { name: name.clone(), batch: *batch }),
            Dim::Symbol(_) | Dim::Unknown => None,
        };
        Ok(Self { layout, element, fixed_batch })
    }

    /// What is done to a tensor of the recipe before the model takes it; nothing for most.
    pub(crate) fn steps(&self, recipe: &Recipe) -> Vec<Step> {
        let element = Step::Cast(self.element.element());
        let mut steps = match self.element {
            InputElement::Float32 => Vec::new(),
            InputElement::Float16 => vec![element],
            InputElement::Uint8 => vec![to_pixels(recipe), element],
        };
        if self.layout == Layout::ChannelsLast {
            steps.push(Step::Order(self.layout));
        }
        steps
    }
}

/// Whether an input of these axes, in this order, takes the recipe's tensors.
fn fits(layout: Layout, axes: &[Dim; 3], recipe: &Recipe) -> bool {
    let size = recipe.output_size();
    let [channels, height, width] = match (layout, axes) {
        (Layout::ChannelsFirst, [channels, height, width]) => [channels, height, width],
        (Layout::ChannelsLast, [height, width, channels]) => [channels, height, width],
    };
    channels.admits(3) && height.admits(size.height.into()) && width.admits(size.width.into())
}

/// The recipe's normalisation undone, and half a step more, so that what is behind the point can be cut off: the
/// roundings of f32 move a pixel by less than a thousandth.
fn to_pixels(recipe: &Recipe) -> Step {
    let unit = match recipe.stages().scale {
        TensorScale::Unit => WHITE,
        TensorScale::Byte => 1.0,
    };
    let (mean, std) =
        recipe.stages().normalize.map_or(([0.0; 3], [1.0; 3]), |normalize| (normalize.mean, normalize.std));
    Step::Scale { by: std.map(|std| std * unit), plus: mean.map(|mean| mean * unit + 0.5) }
}

fn wrong(name: &ModelName, inputs: &[ValueFacts], recipe: &Recipe) -> ModelError {
    let size = recipe.output_size();
    ModelError::Input {
        name: name.clone(),
        recipe: recipe.name().to_string(),
        height: size.height,
        width: size.width,
        inputs: list(inputs),
    }
}

/// Inputs or outputs, in words.
pub(crate) fn list(values: &[ValueFacts]) -> String {
    if values.is_empty() {
        return "none".to_owned();
    }
    values.iter().map(ValueFacts::to_string).collect::<Vec<_>>().join("; ")
}
