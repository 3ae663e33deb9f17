"""Writes the weights of a BERT encoder (safetensors) as an ONNX graph of plain operators.

usage: python export_bert.py MODEL_DIR OUT.onnx

MODEL_DIR holds config.json and model.safetensors. The graph takes input_ids, attention_mask and token_type_ids,
int64 [batch_size, sequence_length], and returns last_hidden_state, float32 [batch_size, sequence_length, hidden].
Only ONNX opset 17 operators are used, so that runtimes may fuse them as they see fit; pooling is not part of it.
"""

import json
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors import safe_open


class Graph:
    """Nodes and initializers in the order they are asked for; names follow that order, so output is reproducible."""

    def __init__(self):
        self.nodes, self.initializers = [], []

    def constant(self, name, array):
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def int64(self, name, values):
        return self.constant(name, np.array(values, dtype=np.int64))

    def op(self, kind, inputs, output=None, **attributes):
        name = f"{kind}_{len(self.nodes) + 1}"
        output = output or name
        self.nodes.append(helper.make_node(kind, inputs, [output], name=name, domain="", **attributes))
        return output


class Encoder:
    def __init__(self, directory):
        self.config = json.loads((directory / "config.json").read_text())
        self.weights = safe_open(str(directory / "model.safetensors"), "np")
        self.prefix = "bert." if any(key.startswith("bert.") for key in self.weights.keys()) else ""
        self.hidden = self.config["hidden_size"]
        self.heads = self.config["num_attention_heads"]
        self.epsilon = self.config["layer_norm_eps"]
        self.graph = Graph()

    def tensor(self, key):
        return self.weights.get_tensor(self.prefix + key).astype(np.float32)

    def normalise(self, x, name, key):
        g = self.graph
        scale = g.constant(name + "_g", self.tensor(key + ".weight"))
        bias = g.constant(name + "_b", self.tensor(key + ".bias"))
        return g.op("LayerNormalization", [x, scale, bias], axis=-1, epsilon=self.epsilon)

    def linear(self, x, name, key):
        g = self.graph
        weight = g.constant(name + "_w", self.tensor(key + ".weight").T)
        product = g.op("MatMul", [x, weight])
        return g.op("Add", [product, g.constant(name + "_b", self.tensor(key + ".bias"))])

    def embed(self):
        """Words + types + positions, and the additive attention mask."""
        g, key = self.graph, "embeddings."
        g.int64("one1", [1])
        g.int64("zero1", [0])
        table = g.constant("word_embeddings", self.tensor(key + "word_embeddings.weight"))
        words = g.op("Gather", [table, "input_ids"])
        table = g.constant("type_embeddings", self.tensor(key + "token_type_embeddings.weight"))
        types = g.op("Gather", [table, "token_type_ids"])
        shape = g.op("Shape", ["input_ids"])
        length = g.op("Slice", [shape, "one1", g.int64("two1", [2]), "zero1"])
        table = g.constant("position_embeddings", self.tensor(key + "position_embeddings.weight"))
        positions = g.op("Slice", [table, "zero1", length, "zero1"])
        positions = g.op("Unsqueeze", [positions, "zero1"])
        words_and_types = g.op("Add", [words, types])
        x = self.normalise(g.op("Add", [words_and_types, positions]), "emb", key + "LayerNorm")

        mask = g.op("Unsqueeze", ["attention_mask", g.int64("ax12", [1, 2])])
        mask = g.op("Cast", [mask], to=TensorProto.FLOAT)
        inverse = g.op("Sub", [g.constant("onef", np.float32(1)), mask])
        mask = g.op("Mul", [inverse, g.constant("minf", np.float32(np.finfo(np.float32).min))])
        return x, mask

    def attend(self, x, mask, name, key):
        g = self.graph
        heads = {}
        for part in ("query", "key", "value"):
            heads[part] = g.op("Reshape", [self.linear(x, name + part, f"{key}attention.self.{part}"), "split"])
        query = g.op("Transpose", [heads["query"]], perm=[0, 2, 1, 3])
        value = g.op("Transpose", [heads["value"]], perm=[0, 2, 1, 3])
        keys = g.op("Transpose", [heads["key"]], perm=[0, 2, 3, 1])
        scores = g.op("Div", [g.op("MatMul", [query, keys]), "scale"])
        shares = g.op("Softmax", [g.op("Add", [scores, mask])], axis=-1)
        context = g.op("Transpose", [g.op("MatMul", [shares, value])], perm=[0, 2, 1, 3])
        return self.linear(g.op("Reshape", [context, "merge"]), name + "ao", key + "attention.output.dense")

    def gelu(self, x):
        g = self.graph
        error = g.op("Erf", [g.op("Div", [x, "sqrt2"])])
        return g.op("Mul", [g.op("Mul", [x, g.op("Add", [error, "onef"])]), "half"])

    def layer(self, x, mask, index):
        g, name, key = self.graph, f"l{index}_", f"encoder.layer.{index}."
        attended = self.attend(x, mask, name, key)
        x = self.normalise(g.op("Add", [attended, x]), name + "ln1", key + "attention.output.LayerNorm")
        inner = self.gelu(self.linear(x, name + "fi", key + "intermediate.dense"))
        outer = self.linear(inner, name + "fo", key + "output.dense")
        return self.normalise(g.op("Add", [outer, x]), name + "ln2", key + "output.LayerNorm")

    def model(self):
        g = self.graph
        x, mask = self.embed()
        head = self.hidden // self.heads
        g.int64("split", [0, 0, self.heads, head])
        g.int64("merge", [0, 0, self.hidden])
        g.constant("scale", np.float32(np.sqrt(head)))
        g.constant("sqrt2", np.float32(np.sqrt(2)))
        g.constant("half", np.float32(0.5))
        for index in range(self.config["num_hidden_layers"]):
            x = self.layer(x, mask, index)
        g.op("Identity", [x], "last_hidden_state")

        axes = ["batch_size", "sequence_length"]
        inputs = [
            helper.make_tensor_value_info(name, TensorProto.INT64, axes)
            for name in ("input_ids", "attention_mask", "token_type_ids")
        ]
        output = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, [*axes, self.hidden])
        graph = helper.make_graph(g.nodes, "bert", inputs, [output], g.initializers)
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="export_bert")


if __name__ == "__main__":
    onnx.save(Encoder(pathlib.Path(sys.argv[1])).model(), sys.argv[2])
