//! Fits the settings of a dense model to its graph: which output, which pooling, what comes after it, and who says each of them.
//!
//! Nothing that decides what a vector means is guessed here. What nobody says is an error that names the option.

use super::{
    FINISHED, ModelSpec, NO_FILE_SAYS, Sourced,
    inputs::{broken, check_inputs_beside},
    output::{Chosen, choose_output, last_dim},
    tail::ModuleFile,
};
use crate::postprocess::Tail;
use millrace_contract::{Error, ErrorKind, Graph, Pooling, Port, Result};
use std::sync::Arc;

/// The input that says what a text is embedded for.
const TASK: &str = "task_id";

/// The name that exports give to the scores of classifiers and to the predictions of language models.
pub(crate) const SCORES: &str = "logits";

/// A graph's input for the number of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskInput {
    /// Its name.
    pub name: Arc<str>,
    /// Its rank: 0 for a scalar, 1 for a list of one.
    pub rank: usize,
}

/// How a dense vector is taken from a graph.
#[derive(Debug, Clone, PartialEq)]
pub struct DenseHead {
    /// Position of the output among the graph's.
    pub output: usize,
    /// Its name, and who chose it.
    pub output_name: Sourced<String>,
    /// How its token vectors become one vector; [`Pooling::None`] for an output `[rows, dim]`. Several are put one after the other.
    pub poolings: Sourced<Vec<Pooling>>,
    /// Whether vectors are scaled to length 1.
    pub normalize: Sourced<bool>,
    /// Dimensions of a vector; `None` where the graph leaves it open until it has run.
    pub dim: Option<usize>,
    /// Several poolings and the modules after them, for models that have more than one pooling.
    pub tail: Option<Arc<Tail>>,
    /// Whether every text is padded to its call's limit.
    pub pad_to_limit: bool,
    /// Tokens of every row, where the graph takes no other length.
    pub fixed_len: Option<usize>,
    /// The input for the task, where the graph has one.
    pub task: Option<TaskInput>,
}

impl DenseHead {
    /// The pooling of a model that has one only, else the first of them.
    #[must_use]
    pub fn pooling(&self) -> Pooling {
        self.poolings.value.first().copied().unwrap_or(Pooling::None)
    }
}

/// Chooses the output, the pooling and the modules after it, whose weights it reads.
///
/// The output is the one asked for; else, unless a pooling is asked for, `sentence_embedding`; else the first. An output `[rows, dim]` is taken as
/// it is, one of tokens is pooled as the caller or the directory says. Where nobody says a normalisation, vectors are normalised.
/// A pooling of the directory describes the model, not the export, so a graph that has pooled already is taken as it is; one
/// that the caller asks for must fit.
///
/// [`ErrorKind::InvalidOption`] names the option that has to say what nobody says; [`ErrorKind::ModelInvalid`] is for graphs that give no
/// vectors, such as those of cross encoders, and for broken modules.
pub fn bind(spec: &ModelSpec, graph: &Graph) -> Result<DenseHead> {
    // A table of numbers under this name would be something else.
    let task = graph.input(TASK).filter(|port| port.dims.len() <= 1);
    let task = task.map(|port| TaskInput { name: port.name.as_str().into(), rank: port.dims.len() });
    check_inputs_beside(spec, graph, if task.is_some() { &[TASK] } else { &[] })?;
    // Whoever asks for a pooling means an output of tokens, FastEmbed's first.
    let prefer = (!spec.pooling_requested).then_some(FINISHED);
    let chosen = choose_output(spec, graph, prefer)?;
    let port = &graph.outputs[chosen.position];
    refuse_scores(spec, port, &chosen)?;
    let poolings = poolings(spec, port)?;
    let modules =
        if already_done(spec, port, &chosen, &poolings.value)? { &[][..] } else { &spec.after_pooling };
    let (tail, dim) = tail(spec, port, &poolings.value, modules)?;
    Ok(DenseHead {
        output: chosen.position,
        output_name: Sourced { value: port.name.clone(), source: chosen.source },
        poolings,
        normalize: spec
            .normalize
            .clone()
            .unwrap_or_else(|| Sourced { value: true, source: NO_FILE_SAYS.to_owned() }),
        dim,
        tail,
        pad_to_limit: spec.pad_to_limit,
        fixed_len: spec.fixed_len,
        task,
    })
}

/// Fails for outputs that hold scores: taken for vectors, they would be numbers without a meaning.
fn refuse_scores(spec: &ModelSpec, port: &Port, chosen: &Chosen) -> Result<()> {
    let remedy =
        "TextCrossEncoder loads cross encoders; name another output with outputName if the graph has vectors";
    if port.dims.len() == 2 && last_dim(port) == Some(1) {
        let why =
            format!("output {} is one value a text, which is a score and no vector; {remedy}", port.name);
        return Err(broken(spec, &why));
    }
    let rows = matches!(port.dims.len(), 0 | 2) && port.name != FINISHED;
    if !chosen.requested && rows && spec.is_classifier() {
        let why = format!(
            "config.json says {}, so output {} holds scores and no vectors; {remedy}",
            spec.architectures.join(", "),
            port.name
        );
        return Err(broken(spec, &why));
    }
    if !chosen.requested && port.name == SCORES {
        let why = format!("output {SCORES} holds scores or predictions and no vectors; {remedy}");
        return Err(broken(spec, &why));
    }
    Ok(())
}

fn poolings(spec: &ModelSpec, port: &Port) -> Result<Sourced<Vec<Pooling>>> {
    let done = || Sourced {
        value: vec![Pooling::None],
        source: format!("output {}, which is [rows, dim]", port.name),
    };
    let asked = spec.pooling.as_ref().map(|asked| asked.value.as_slice());
    match (port.dims.len(), asked) {
        // FastEmbed's first-token models take a pooled output as it is too.
        (2, None | Some([Pooling::None | Pooling::Cls])) => Ok(done()),
        (2, Some(_)) if !spec.pooling_requested => Ok(done()),
        (2, Some(asked)) => Err(broken(
            spec,
            &format!(
                "pooling {asked:?} needs an output [rows, tokens, dim], but {} is {:?}, which is pooled already",
                port.name, port.dims
            ),
        )),
        (3, Some([Pooling::None])) => Err(broken(
            spec,
            &format!(
                "without pooling the output has to be [rows, dim], but {} is {:?}; choose a pooling, or a pooled \
                 output with outputName",
                port.name, port.dims
            ),
        )),
        // A graph may leave the shape open (no dims at all); the run will tell.
        (3 | 0, Some(_)) => spec.pooling.clone().ok_or_else(|| nobody_says(spec, port)),
        (3 | 0, None) => Err(nobody_says(spec, port)),
        _ => Err(broken(
            spec,
            &format!("output {} is {:?}, expected [rows, dim] or [rows, tokens, dim]", port.name, port.dims),
        )),
    }
}

/// The error where the meaning of a vector would have to be guessed: a model made for one pooling gives vectors of another meaning with the
/// next one, and nothing about them looks wrong.
fn nobody_says(spec: &ModelSpec, port: &Port) -> Error {
    Error::new(
        ErrorKind::InvalidOption,
        format!(
            "Expected 'cls', 'mean', 'last', 'max', 'mean-sqrt-len' or 'weighted-mean' for pooling but received none: output {} of {} \
             has a vector for each token ({:?}), and no modules.json with a pooling says how they become one; the model's card \
             does (BGE models take 'cls', E5, GTE and MiniLM models 'mean'). A registered name as model, or an \
             output with finished vectors as outputName, says it too",
            port.name,
            spec.graph_path.display(),
            port.dims
        ),
    )
}

/// Whether the graph has the modules after the pooling inside.
fn already_done(spec: &ModelSpec, port: &Port, chosen: &Chosen, poolings: &[Pooling]) -> Result<bool> {
    let pooled = poolings == [Pooling::None];
    if pooled && (chosen.requested || port.name == FINISHED) {
        return Ok(true);
    }
    if let Some(unsupported) = &spec.unsupported {
        return Err(unsupported.clone());
    }
    if !pooled || spec.after_pooling.is_empty() {
        return Ok(false);
    }
    let taken = spec.after_pooling.iter().find_map(ModuleFile::takes);
    let given = spec.after_pooling.iter().fold(None, |taken, module| module.gives(taken));
    match last_dim(port) {
        dim if dim == given && dim != taken => Ok(true),
        dim if dim == taken && dim != given => Ok(false),
        _ => Err(Error::new(
            ErrorKind::InvalidOption,
            format!(
                "Expected outputName to name an output of {}: its {} is {:?}, which does not tell whether it has gone through the Dense \
                 modules of modules.json; an output that is named counts as finished",
                spec.graph_path.display(),
                port.name,
                port.dims
            ),
        )),
    }
}

type Tailed = (Option<Arc<Tail>>, Option<usize>);

/// What follows the pooling, with the dimensions of a finished vector.
fn tail(spec: &ModelSpec, port: &Port, poolings: &[Pooling], modules: &[ModuleFile]) -> Result<Tailed> {
    let pooled = last_dim(port).map(|dim| dim * poolings.len());
    if poolings.len() == 1 && modules.is_empty() {
        return Ok((None, pooled));
    }
    let mut dim = pooled;
    for module in modules {
        if let (Some(given), Some(taken)) = (dim, module.takes())
            && given != taken
        {
            let why = format!(
                "a Dense module of modules.json takes {taken} values, but the vector before it has {given}"
            );
            return Err(broken(spec, &why));
        }
        dim = module.gives(dim);
    }
    let steps = modules.iter().map(ModuleFile::load).collect::<Result<Vec<_>>>()?;
    Ok((Some(Arc::new(Tail { poolings: poolings.to_vec(), steps })), dim))
}
