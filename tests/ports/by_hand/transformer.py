import numpy as np
import tensorflow.compat.v1 as tf

BATCH_SIZE = 64
SIZE = 32
HEADS = 4


def train(values, n_steps=400, eval_every=100, length=10):
    def variable(name):
        scope = tf.get_variable_scope().name
        return tf.get_variable(name, initializer=values[f"{scope}/{name}"])

    def embedding(ids, scope):
        with tf.variable_scope(scope):
            return tf.nn.embedding_lookup(variable("table"), ids)

    def dense(x, scope, activation=None):
        with tf.variable_scope(scope):
            z = tf.tensordot(x, variable("kernel"), 1) + variable("bias")
            return z if activation is None else activation(z)

    def layer_norm(x, scope):
        with tf.variable_scope(scope):
            gamma = variable("gamma")
            beta = variable("beta")
            mean, variance = tf.nn.moments(x, axes=[-1], keepdims=True)
            return tf.nn.batch_normalization(x, mean, variance, beta, gamma, 0.001)

    def attention(x, scope):
        with tf.variable_scope(scope):
            parts = []
            for name in ["query", "key", "value"]:
                part = tf.tensordot(x, variable(f"{name}_kernel"), 1) + variable(f"{name}_bias")
                parts.append(tf.transpose(part, [0, 2, 1, 3]))
            query, key, value = parts
            scores = tf.matmul(query, key, transpose_b=True) / np.sqrt(SIZE // HEADS)
            is_seen = tf.linalg.band_part(tf.ones_like(scores), -1, 0)
            weights = tf.nn.softmax(tf.where_v2(is_seen > 0, scores, -1e9))
            mixed = tf.transpose(tf.matmul(weights, value), [0, 2, 1, 3])
            return tf.tensordot(mixed, variable("output_kernel"), 2) + variable("output_bias")

    def transformer_block(x, scope):
        with tf.variable_scope(scope):
            x = x + attention(layer_norm(x, "layer_norm"), "multi_head_attention")
            hidden = dense(layer_norm(x, "layer_norm_1"), "dense", activation=tf.nn.relu)
            return x + dense(hidden, "dense_1")

    tf.set_random_seed(42)
    digits = tf.random_uniform([BATCH_SIZE, length], maxval=10, dtype=tf.int32, seed=1)
    sequences = tf.concat([digits, tf.sort(digits)], axis=1)
    X = tf.placeholder_with_default(sequences[:, :-1], [None, None], name="X")

    x = embedding(X, "embedding") + embedding(tf.range(tf.shape(X)[1]), "embedding_1")
    x = transformer_block(x, "transformer_block")
    x = transformer_block(x, "transformer_block_1")
    logits = dense(layer_norm(x, "layer_norm"), "dense")

    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=sequences[:, length:], logits=logits[:, -length:])
    loss = tf.reduce_mean(losses)
    optimizer = tf.train.AdamOptimizer(learning_rate=0.002)
    gradients, variables = zip(*optimizer.compute_gradients(loss))
    clipped, _ = tf.clip_by_global_norm(gradients, 1.0)
    train_op = optimizer.apply_gradients(zip(clipped, variables))
    following = tf.argmax(logits[:, -1], axis=1, output_type=tf.int32)
    test = tf.random.stateless_uniform([200, length], seed=[1, 2], maxval=10, dtype=tf.int32)

    init = tf.global_variables_initializer()
    with tf.Session() as sess:
        sess.run(init)
        given = sess.run(test)
        for step in range(n_steps):
            sess.run(train_op)
            if (step + 1) % eval_every == 0:
                made = given
                for _ in range(length):
                    made = np.column_stack([made, sess.run(following, feed_dict={X: made})])
                accuracy = np.mean(np.all(made[:, length:] == np.sort(given), axis=1))
                print("step", step, "accuracy", accuracy)
                print("  ", given[0], "becomes", made[0, length:])
        return {one.op.name: value for one, value in zip(variables, sess.run(variables))}
