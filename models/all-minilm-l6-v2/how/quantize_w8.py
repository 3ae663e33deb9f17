"""Weight-only int8 of a plain BERT graph: smaller weights, activations stay float32.

usage: python quantize_w8.py IN.onnx OUT.onnx

Linear layers become MatMulNBits: 8 bits, symmetric, one scale for each block of 64 weights, accuracy level 4 (int8
compute inside the operator). Large embedding tables become int8 with one float32 scale a row. Because no scale depends
on the batch, a text's vector does not depend on the texts beside it.
"""

import logging
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

# Tables of fewer rows (the two token types) are not worth two more operators.
SMALLEST_TABLE = 256


def quantize_table(table):
    """int8 values and float32 scales, one a row; the floor keeps rows of zeros from dividing by zero."""
    scale = np.maximum(np.abs(table).max(1, keepdims=True) / 127, 1e-12).astype(np.float32)
    return np.clip(np.round(table / scale), -127, 127).astype(np.int8), scale


def is_large_table(node, initializers):
    if node.op_type != "Gather" or node.input[0] not in initializers:
        return False
    tensor = initializers[node.input[0]]
    return tensor.data_type == TensorProto.FLOAT and len(tensor.dims) == 2 and tensor.dims[0] > SMALLEST_TABLE


def quantize_embeddings(graph):
    initializers = {tensor.name: tensor for tensor in graph.initializer}
    nodes = []
    for node in graph.node:
        if not is_large_table(node, initializers):
            nodes.append(node)
            continue
        name, ids, output = node.input[0], node.input[1], node.output[0]
        values, scale = quantize_table(numpy_helper.to_array(initializers[name]))
        graph.initializer.remove(initializers[name])
        graph.initializer.extend(
            [numpy_helper.from_array(values, name + "_q"), numpy_helper.from_array(scale, name + "_s")]
        )
        nodes += [
            helper.make_node("Gather", [name + "_q", ids], [output + "_q"]),
            helper.make_node("Gather", [name + "_s", ids], [output + "_s"]),
            helper.make_node("Cast", [output + "_q"], [output + "_f"], to=TensorProto.FLOAT),
            helper.make_node("Mul", [output + "_f", output + "_s"], [output]),
        ]
    del graph.node[:]
    graph.node.extend(nodes)


if __name__ == "__main__":
    logging.disable(logging.INFO)  # the quantizer reports each operator
    quantizer = MatMulNBitsQuantizer(
        onnx.load(sys.argv[1]), bits=8, block_size=64, is_symmetric=True, accuracy_level=4
    )
    quantizer.process()
    model = quantizer.model.model
    quantize_embeddings(model.graph)
    onnx.save(model, sys.argv[2])
