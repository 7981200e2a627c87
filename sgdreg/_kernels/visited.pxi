# The other lazy way, for steps that are not linear: a coordinate is brought up to date when
# a batch has a non-zero in its column.
#
# Without a gradient a step changes a coordinate by w <- sign(w) max(0, a_t |w| - b_t c), with
# a_t = 1 - eta l2, b_t = eta l1 and c its scale in the rule's metric. Many such steps have a
# closed form. With A_t = Π a_i and C_t = Σ b_i / A_i from the call's first step to step t,
#
#     |w_t| = A_t max(0, |w_s| / A_s + c (C_s - C_t))
#
# so it is enough to store for each coordinate the number s of its latest step (Duchi, Singer,
# Efficient online and batch learning using forward backward splitting, JMLR 2009, section
# 6). The sum of its values, for the average, needs Σ A_i and Σ A_i C_i over the averaged
# steps, up to the step at which it became zero.

cdef enum:  # columns of m.path
    DECAY, THRESHOLD, SUM, WEIGHED, COLUMNS

# The sums start again before A_t underflows.
cdef double SMALLEST_DECAY = 1e-100


cdef double visited_step(
    const real *_value, const index *_index, Problem problem, Rule rule, Moving *m,
    const Py_ssize_t[::1] rows, Py_ssize_t start, Py_ssize_t stop,
    Py_ssize_t next_start, double step, bint averaged, double limit,
) noexcept nogil:
    """One step at the cost of the batch's non-zeros; returns its sum of losses."""
    cdef const real *values = <const real *> problem.values
    cdef const index *indices = <const index *> problem.indices
    cdef const index *indptr = <const index *> problem.indptr
    cdef Py_ssize_t d = m.d, width = d + 1, size = stop - start
    cdef Py_ssize_t i, o, r, at, j, found = 0
    cdef double loss, share = 1.0 / size, c
    for i in range(start, stop):
        r = row_at(rows, i)
        for at in range(indptr[r], indptr[r + 1]):
            j = indices[at]
            if m.marks[j] != m.t:
                m.marks[j] = m.t
                m.touched[found] = j
                found += 1
                visit(rule, m, j)
    loss = predictions_of(_value, _index, problem, m, rows, start, stop, next_start)
    if not loss <= limit * size:
        return loss
    for i in range(start, stop):
        r = row_at(rows, i)
        for o in range(m.k):
            c = share * m.residuals[o * size + i - start]
            row_add(values, indices, indptr, d, r, c, m.gradient + o * width)
            m.gradient[o * width + d] += c
    walk(rule, m, step, averaged)
    for i in range(found):
        j = m.touched[i]
        m.stamps[j] = m.now
        for o in range(m.k):
            coordinate_step(rule, m, o, j, step, averaged)
    for o in range(m.k):
        at = o * width + d
        if rule.fit_intercept:
            c = m.gradient[at]
            if rule.kind == ADAGRAD:
                m.memory[at] += c * c
                c *= adagrad_scale(rule, m, at)
            m.weights[at] -= step * c
        m.gradient[at] = 0.0
        if averaged:
            m.total[at] += m.weights[at]
    return loss


cdef inline double adagrad_scale(Rule rule, const Moving *m, Py_ssize_t at) noexcept nogil:
    return 1.0 / (sqrt(m.memory[at]) + rule.epsilon)


cdef inline void coordinate_step(
    Rule rule, Moving *m, Py_ssize_t o, Py_ssize_t j, double step, bint averaged,
) noexcept nogil:
    """The step of a coordinate with a gradient, which has been brought up to date."""
    cdef Py_ssize_t at = o * (m.d + 1) + j
    cdef double g = m.gradient[at] + rule.l2 * m.weights[at], scale = 1.0
    m.gradient[at] = 0.0
    if rule.kind == ADAGRAD:
        m.memory[at] += g * g
        scale = adagrad_scale(rule, m, at)
    m.weights[at] -= step * scale * g
    if rule.proximal:
        m.weights[at] = soft_threshold(
            m.weights[at], step * rule.l1 * scale, rule.positive)
    if averaged:
        m.total[at] += m.weights[at]


cdef void visit(Rule rule, Moving *m, Py_ssize_t j) noexcept nogil:
    """Bring coordinate j up to date, by its steps without a gradient since the last visit."""
    cdef const double *then = m.path + COLUMNS * m.stamps[j]
    cdef const double *now = m.path + COLUMNS * m.now
    cdef Py_ssize_t o, at, low, high, middle
    cdef double w, scale, size, left
    if m.stamps[j] == m.now:
        return
    for o in range(m.k):
        at = o * (m.d + 1) + j
        w = m.weights[at]
        if w == 0.0:
            continue
        scale = adagrad_scale(rule, m, at) if rule.kind == ADAGRAD else 1.0
        size = fabs(w) / then[DECAY] + scale * then[THRESHOLD]
        left = size - scale * now[THRESHOLD]
        m.weights[at] = 0.0
        if left > 0.0:
            m.weights[at] = now[DECAY] * left if w > 0.0 else -now[DECAY] * left
        if m.total is NULL:
            continue
        low, high = m.stamps[j], m.now  # bisection: its last step that is not zero
        if left <= 0.0:
            while high - low > 1:
                middle = (low + high) // 2
                if size > scale * m.path[COLUMNS * middle + THRESHOLD]:
                    low = middle
                else:
                    high = middle
            high = low
        left = (size * (m.path[COLUMNS * high + SUM] - then[SUM])
                - scale * (m.path[COLUMNS * high + WEIGHED] - then[WEIGHED]))
        m.total[at] += left if w > 0.0 else -left
    m.stamps[j] = m.now


cdef void walk(Rule rule, Moving *m, double step, bint averaged) noexcept nogil:
    """Add to the path the step of the coordinates without a gradient."""
    cdef double a = 1.0 - step * rule.l2
    cdef double *before = m.path + COLUMNS * m.now
    cdef double *now
    if m.now + 1 >= m.capacity or a * before[DECAY] < SMALLEST_DECAY:
        settle(rule, m)
        before = m.path
    m.now += 1
    now = before + COLUMNS
    now[DECAY] = a * before[DECAY]
    now[THRESHOLD] = before[THRESHOLD] + step * rule.l1 / now[DECAY]
    now[SUM], now[WEIGHED] = before[SUM], before[WEIGHED]
    if averaged:
        now[SUM] += now[DECAY]
        now[WEIGHED] += now[DECAY] * now[THRESHOLD]


cdef void settle(Rule rule, Moving *m) noexcept nogil:
    """Bring every coordinate up to date, and start a new path."""
    cdef Py_ssize_t j
    for j in range(m.d):
        visit(rule, m, j)
        m.stamps[j] = 0
    m.now = 0
    m.path[DECAY], m.path[THRESHOLD], m.path[SUM], m.path[WEIGHED] = 1.0, 0.0, 0.0, 0.0
