"""What cases are made of, as source text."""

RULES = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "svrg", "cg")
OBJECTS = (
    "optimizers.SGD(metric='diagonal')",
    "optimizers.SGD(metric='sketch')",
    "optimizers.Momentum(0.5, nesterov=True)",
    "optimizers.AdaGrad(initial=0.1)",
    "optimizers.Adam(weight_decay=0.01)",
    "optimizers.SVRG(metric='sketch')",
    "optimizers.SVRG(inner=0.5, metric='diagonal')",
    "optimizers.ConjugateGradient(metric='diagonal')",
    "optimizers.InteriorPoint()",
)
STEPS = (
    "0.01",
    "0.001",
    "'constant'",
    "'invscaling'",
    "'optimal'",
    "'adaptive'",
    "schedules.Cosine(0.01, 50)",
    "lambda t: 0.01 / t",
)
# (parameter, a value that it may not have)
INVALID = (
    ("loss", "'least'"),
    ("penalty", "'l3'"),
    ("alpha", "-1.0"),
    ("alpha", "np.nan"),
    ("alpha", "np.inf"),
    ("alpha", "'a'"),
    ("fit_intercept", "'yes'"),
    ("epsilon", "-0.1"),
    ("quantile", "1.0"),
    ("optimizer", "'bfgs'"),
    ("optimizer", "optimizers.SGD(metric='full')"),
    ("optimizer", "optimizers.Adam(beta_1=1.5)"),
    ("optimizer", "optimizers.SVRG(inner=-1)"),
    ("learning_rate", "0.0"),
    ("learning_rate", "np.nan"),
    ("learning_rate", "'fast'"),
    ("learning_rate", "True"),
    ("learning_rate", "lambda t: -t"),
    ("batch_size", "0"),
    ("batch_size", "2.5"),
    ("max_iter", "0"),
    ("max_iter", "1e3"),
    ("tol", "-1e-3"),
    ("tol", "np.nan"),
    ("shuffle", "'columns'"),
    ("average", "-1"),
    ("average", "'head'"),
    ("n_iter_no_change", "0"),
    ("positive", "'no'"),
    ("n_jobs", "0"),
    ("n_jobs", "1.5"),
    ("random_state", "'seed'"),
    ("random_state", "-1"),
    ("verbose", "'loud'"),
    ("warm_start", "2.0"),
)
# (what is wrong, the X that it makes of X)
BAD_X = (
    ("NaN in X", "np.where(np.arange(X.size).reshape(X.shape) == X.size // 2, np.nan, X)"),
    ("inf in X", "np.where(np.arange(X.size).reshape(X.shape) == X.size - 1, np.inf, X)"),
    ("X of one dimension", "X[:, 0]"),
    ("X of three dimensions", "X[None]"),
    ("text in X", "np.full(X.shape, 'a')"),
    ("objects in X", "np.full(X.shape, object())"),
    ("complex X", "X + 1j"),
    ("X without rows", "X[:0]"),
    ("X without columns", "X[:, :0]"),
    ("more rows than y has", "np.vstack([X, X])"),
    ("NaN in CSR", "sparse.csr_array(np.full(X.shape, np.nan))"),
)
BAD_Y = (
    ("NaN in y", "np.where(np.arange(len(y)) == len(y) // 2, np.nan, y.T).T"),
    ("inf in y", "np.where(np.arange(len(y)) == 0, -np.inf, y.T).T"),
    ("text in y", "np.full(len(y), 'a')"),
    ("y too short", "y[:-1]"),
    ("y is None", "None"),
    ("y of three dimensions", "np.zeros((len(y), 1, 2))"),
    ("objects in y", "np.full(len(y), object())"),
)
BAD_WEIGHTS = (
    ("negative weight", "-np.ones(len(y))"),
    ("NaN weight", "np.full(len(y), np.nan)"),
    ("weights all zero", "np.zeros(len(y))"),
    ("too many weights", "np.ones(len(y) + 1)"),
    ("weights of two dimensions", "np.ones((len(y), 2))"),
    ("text as weights", "['a'] * len(y)"),
)
# (what is wrong, the statement that does it to the CSR Z; it needs an entry to do it to)
MALFORMED = (
    ("indptr starts far below zero", "Z.indptr[0] = -(10**8)"),
    ("indptr starts below zero", "Z.indptr[0] = -1"),
    ("indptr ends too far", "Z.indptr[-1] += 1000"),
    ("indptr goes down", "Z.indptr[:] = Z.indptr[::-1].copy()"),
    ("indptr too short", "Z.indptr = Z.indptr[:-1].copy()"),
    ("indices too few", "Z.indices = Z.indices[: Z.nnz // 2].copy()"),
    ("data too few", "Z.data = Z.data[: Z.nnz // 2].copy()"),
    ("an index too large", "Z.indices[-1] = Z.shape[1]"),
    ("an index far too large", "Z.indices[0] = 2**30"),
    ("a negative index", "Z.indices[0] = -1"),
)
# What X may come in; every one of them holds the same numbers.
CONTAINERS = (
    "np.asfortranarray(X)",
    "np.repeat(X, 2, axis=0)[::2]",
    "X.tolist()",
    "pd.DataFrame(X, columns=[f'c{j}' for j in range(X.shape[1])])",
    "sparse.csr_array(X)",
    "sparse.csr_matrix(X)",
    "sparse.csc_array(X)",
    "sparse.coo_array(X)",
    "wide(sparse.csr_array(X))",
    "shuffled(sparse.csr_array(X))",
    "doubled(sparse.csr_array(X))",
    "frozen(X)",
)
HELPERS = {
    "wide(": """\
def wide(Z):
    Z.indices, Z.indptr = Z.indices.astype('i8'), Z.indptr.astype('i8')
    return Z""",
    "shuffled(": """\
def shuffled(Z):
    for a, b in zip(Z.indptr, Z.indptr[1:]):
        Z.indices[a:b], Z.data[a:b] = Z.indices[a:b][::-1].copy(), Z.data[a:b][::-1].copy()
    Z.has_sorted_indices = False
    return Z""",
    "doubled(": """\
def doubled(Z):
    indices, data = np.repeat(Z.indices, 2), np.repeat(Z.data / 2, 2)
    return sparse.csr_array((data, indices, Z.indptr * 2), shape=Z.shape)""",
    "frozen(": """\
def frozen(Z):
    Z = Z.copy()
    Z.flags.writeable = False
    return Z""",
}
