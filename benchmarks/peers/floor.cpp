// The floor: case A written by hand, one network after another in registers and first-level cache, a thread a core.
// 50 -> 32 -> 16 -> 3, ReLU, mean squared error, AdamW, mini-batches of 64 drawn anew in every epoch.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <random>
#include <thread>
#include <vector>

constexpr int D = 50, H1 = 32, H2 = 16, Q = 3, BATCH = 64;
constexpr float B1 = 0.9f, B2 = 0.999f, EPSILON = 1e-8f;

struct Network {
    float w1[D * H1], b1[H1], w2[H1 * H2], b2[H2], w3[H2 * Q], b3[Q];
};
constexpr int PARAMETERS = sizeof(Network) / sizeof(float);

template <int I, int O>
static void dense(const float* x, const float* w, const float* b, float* z, int rows) {
    for (int r = 0; r < rows; r++) {
        float sum[O];
        for (int o = 0; o < O; o++) sum[o] = b[o];
        for (int i = 0; i < I; i++)
            for (int o = 0; o < O; o++) sum[o] += x[r * I + i] * w[i * O + o];
        for (int o = 0; o < O; o++) z[r * O + o] = sum[o];
    }
}

template <int I, int O>
static void gradients(const float* x, const float* dz, float* dw, float* db, int rows) {
    for (int i = 0; i < I; i++) {
        float sum[O] = {};
        for (int r = 0; r < rows; r++)
            for (int o = 0; o < O; o++) sum[o] += x[r * I + i] * dz[r * O + o];
        for (int o = 0; o < O; o++) dw[i * O + o] = sum[o];
    }
    float sum[O] = {};
    for (int r = 0; r < rows; r++)
        for (int o = 0; o < O; o++) sum[o] += dz[r * O + o];
    for (int o = 0; o < O; o++) db[o] = sum[o];
}

template <int I, int O>
static void back(const float* dz, const float* w, const float* z, float* dx, int rows) {
    float turned[O * I];
    for (int i = 0; i < I; i++)
        for (int o = 0; o < O; o++) turned[o * I + i] = w[i * O + o];
    for (int r = 0; r < rows; r++) {
        float sum[I] = {};
        for (int o = 0; o < O; o++)
            for (int i = 0; i < I; i++) sum[i] += dz[r * O + o] * turned[o * I + i];
        for (int i = 0; i < I; i++) dx[r * I + i] = z[r * I + i] > 0 ? sum[i] : 0.f;
    }
}

static void relu(const float* z, float* a, int count) {
    for (int i = 0; i < count; i++) a[i] = z[i] > 0 ? z[i] : 0.f;
}

static void train_one(const float* X, const float* Y, int n, const int* rows, int count, uint32_t seed, int epochs,
                      float rate, float decay, float* prediction) {
    std::mt19937 random(seed);
    Network net, m, v, g;
    float* p = reinterpret_cast<float*>(&net);
    float* pm = reinterpret_cast<float*>(&m);
    float* pv = reinterpret_cast<float*>(&v);
    float* pg = reinterpret_cast<float*>(&g);
    std::memset(p, 0, sizeof net), std::memset(pm, 0, sizeof m), std::memset(pv, 0, sizeof v);
    auto draw = [&](float* w, int size, float spread) {
        std::normal_distribution<float> normal(0, spread);
        for (int i = 0; i < size; i++) w[i] = normal(random);
    };
    draw(net.w1, D * H1, std::sqrt(2.f / D)), draw(net.w2, H1 * H2, std::sqrt(2.f / H1)), draw(net.w3, H2 * Q, std::sqrt(1.f / H2));
    std::vector<int> order(rows, rows + count);
    static thread_local float x[BATCH * D], y[BATCH * Q], z1[BATCH * H1], a1[BATCH * H1], z2[BATCH * H2], a2[BATCH * H2],
        z3[BATCH * Q], d1[BATCH * H1], d2[BATCH * H2], d3[BATCH * Q];
    double t1 = 1, t2 = 1;
    for (int epoch = 0; epoch < epochs; epoch++) {
        std::shuffle(order.begin(), order.end(), random);
        for (int start = 0; start < count; start += BATCH) {
            int b = std::min(BATCH, count - start);
            for (int r = 0; r < b; r++) {
                std::memcpy(x + r * D, X + (size_t)order[start + r] * D, sizeof(float) * D);
                std::memcpy(y + r * Q, Y + (size_t)order[start + r] * Q, sizeof(float) * Q);
            }
            dense<D, H1>(x, net.w1, net.b1, z1, b), relu(z1, a1, b * H1);
            dense<H1, H2>(a1, net.w2, net.b2, z2, b), relu(z2, a2, b * H2);
            dense<H2, Q>(a2, net.w3, net.b3, z3, b);
            for (int i = 0; i < b * Q; i++) d3[i] = 2.f * (z3[i] - y[i]) / (b * Q);
            gradients<H2, Q>(a2, d3, g.w3, g.b3, b), back<H2, Q>(d3, net.w3, z2, d2, b);
            gradients<H1, H2>(a1, d2, g.w2, g.b2, b), back<H1, H2>(d2, net.w2, z1, d1, b);
            gradients<D, H1>(x, d1, g.w1, g.b1, b);
            t1 *= B1, t2 *= B2;
            float c1 = float(1 / (1 - t1)), c2 = float(1 / (1 - t2));
            for (int i = 0; i < PARAMETERS; i++) {
                pm[i] = B1 * pm[i] + (1 - B1) * pg[i];
                pv[i] = B2 * pv[i] + (1 - B2) * pg[i] * pg[i];
                p[i] -= rate * (pm[i] * c1 / (std::sqrt(pv[i] * c2) + EPSILON) + decay * p[i]);
            }
        }
    }
    std::vector<float> h1(H1), h2(H2);
    for (int r = 0; r < n; r++) {
        dense<D, H1>(X + (size_t)r * D, net.w1, net.b1, h1.data(), 1), relu(h1.data(), h1.data(), H1);
        dense<H1, H2>(h1.data(), net.w2, net.b2, h2.data(), 1), relu(h2.data(), h2.data(), H2);
        dense<H2, Q>(h2.data(), net.w3, net.b3, prediction + (size_t)r * Q, 1);
    }
}

extern "C" void train(const float* X, const float* Y, int n, const int* rows, const int* offsets, int replicas, int epochs,
                      float rate, float decay, int threads, float* predictions) {
    std::vector<std::thread> pool;
    for (int t = 0; t < threads; t++)
        pool.emplace_back([=] {
            for (int r = t; r < replicas; r += threads)
                train_one(X, Y, n, rows + offsets[r], offsets[r + 1] - offsets[r], 1000 + r, epochs, rate, decay,
                          predictions + (size_t)r * n * Q);
        });
    for (auto& thread : pool) thread.join();
}
