"use strict";
/* The bowl: its curvature, its minimum, and the largest stable step.
 *
 *   F(theta) = F(theta*) + ½ (theta - theta*)ᵀ H (theta - theta*),   H = 1/n Σ [x, 1] [x, 1]ᵀ
 */
const curvature = (() => {
  const dot = (a, b) => a.reduce((sum, v, j) => sum + v * b[j], 0);
  const apply = (A, u) => A.map((row) => dot(row, u));

  /** 1/n Σ weight_i z_i z_iᵀ of some vectors. */
  function secondMoments(vectors, weights) {
    const size = vectors[0].length;
    const A = Array.from({ length: size }, () => new Array(size).fill(0));
    vectors.forEach((z, k) => {
      for (let i = 0; i < size; i++)
        for (let j = 0; j < size; j++) A[i][j] += (weights[k] * z[i] * z[j]) / vectors.length;
    });
    return A;
  }

  /** Eigenvalues and vectors of a symmetric matrix, the largest first (Jacobi rotations). */
  function eigen(matrix) {
    const size = matrix.length;
    const A = matrix.map((row) => [...row]);
    const V = A.map((_, i) => A.map((_, j) => (i === j ? 1 : 0)));
    for (let sweep = 0; sweep < 30; sweep++) {
      for (let p = 0; p < size - 1; p++) {
        for (let q = p + 1; q < size; q++) {
          if (A[p][q] === 0) continue;
          const angle = 0.5 * Math.atan((2 * A[p][q]) / (A[q][q] - A[p][p]));
          const [c, s] = [Math.cos(angle), Math.sin(angle)];
          const turn = (row) => {
            [row[p], row[q]] = [c * row[p] - s * row[q], s * row[p] + c * row[q]];
          };
          A.forEach(turn);
          [A[p], A[q]] = [0, 1].map((k) =>
            A[p].map((a, j) => (k ? s * a + c * A[q][j] : c * a - s * A[q][j])),
          );
          V.forEach(turn);
        }
      }
    }
    return A.map((row, i) => ({ value: Math.max(0, row[i]), vector: V.map((v) => v[i]) }))
      .sort((a, b) => b.value - a.value);
  }

  /** Least squares by the curvature of the centred features: the solution of least norm. */
  function leastSquares(problem) {
    const { X, y, n, d } = problem;
    const mean = X[0].map((_, j) => X.reduce((sum, x) => sum + x[j], 0) / n);
    const centre = y.reduce((sum, v) => sum + v, 0) / n;
    const Z = X.map((x) => x.map((v, j) => v - mean[j]));
    const pairs = eigen(secondMoments(Z, new Array(n).fill(1)));
    const slope = mean.map((_, j) => Z.reduce((sum, z, i) => sum + z[j] * (y[i] - centre), 0) / n);
    const w = new Array(d).fill(0);
    for (const { value, vector } of pairs) {
      if (value <= 1e-14 * pairs[0].value) continue;
      const along = dot(vector, slope) / value;
      vector.forEach((v, j) => { w[j] += along * v; });
    }
    return [...w, centre - dot(w, mean)];
  }

  /** Curvature, axes and minimum of the bowl of some rows. */
  function makeBowl(problem) {
    const ones = problem.X.map((x) => [...x, 1]);
    const H = secondMoments(ones, new Array(problem.n).fill(1));
    const optimum = leastSquares(problem);
    return { H, pairs: eigen(H), optimum, least: sgd.objective(problem, optimum), ones };
  }

  // The steps of adaptive rules do not grow with the gradient: no curvature bounds them.
  const ADAPTIVE = new Set(["adagrad", "rmsprop", "adam"]);

  /** The largest stable (exact, with its formula) or safe step; null where there is none.
   *
   * With all rows per step: 2/λ, momentum 2 (1 + β)/λ, Nesterov 2 (1 + β)/((1 + 2β) λ), exactly.
   * Mini-batches in random order: (1 - β) 2 b/(R² + (b - 1) λ) is safe, and more may be
   * (Jain et al., JMLR 18, 2018, theorem 1, with the R² of sgdreg/_curvature/stable_step.py and its b where
   * a last batch is short). */
  function stableStep(problem, bowl, settings) {
    if (ADAPTIVE.has(settings.optimizer) || settings.optimizer === "auto") return null;
    const largest = bowl.pairs[0].value;
    const momentum = settings.optimizer === "sgd" ? 0 : settings.momentum;
    const size = sgd.batchSize(problem.n, settings);
    if (size === problem.n) {
      const ahead = settings.optimizer === "nesterov" ? 1 + 2 * momentum : 1;
      const formula = { sgd: "2/λ", momentum: "2(1 + β)/λ" }[settings.optimizer];
      return {
        value: (2 * (1 + momentum)) / (ahead * largest),
        formula: formula || "2(1 + β)/((1 + 2β)λ)",
        exact: true,
      };
    }
    const whole = Math.floor(problem.n / size);
    const rest = problem.n % size;
    const b = (whole + (rest > 0)) / (whole / size + (rest ? 1 / rest : 0));
    const norms = bowl.ones.map((z) => dot(z, z));
    const top = eigen(secondMoments(bowl.ones, norms))[0];
    const along = dot(top.vector, apply(bowl.H, top.vector));
    const noise = Math.max(norms.reduce((sum, v) => sum + v, 0) / problem.n, top.value / along);
    return {
      value: ((1 - momentum) * 2 * b) / (noise + (b - 1) * largest),
      exact: false,
    };
  }

  /** The factor of the error along curvature `value` in a step of `eta` on all rows.
   *
   * With momentum: in the long run, the largest root of z² - trace z + determinant. */
  function factor(value, eta, settings) {
    const h = eta * value;
    const { optimizer, momentum } = settings;
    if (ADAPTIVE.has(optimizer)) return null;
    if (optimizer === "auto") return 0;
    if (optimizer === "sgd") return 1 - h;
    const nesterov = optimizer === "nesterov";
    const trace = 1 + momentum - h * (nesterov ? 1 + momentum : 1);
    const determinant = momentum * (nesterov ? 1 - h : 1);
    const square = trace * trace - 4 * determinant;
    if (square < 0) return Math.sqrt(determinant);
    const root = Math.sqrt(square);
    return Math.abs(trace + root) > Math.abs(trace - root)
      ? (trace + root) / 2
      : (trace - root) / 2;
  }

  return { ADAPTIVE, dot, eigen, factor, makeBowl, stableStep };
})();
