// Backpropagation in plain loops over double, any depth: what the engine's own test program compares the kernels with.
#pragma once

#include <cmath>
#include <string>
#include <vector>

namespace plain {

using Vec = std::vector<double>;

struct Layer {
  std::size_t n_in, n_out;
  std::string h;
  bool bias;
  Vec W, b;  // W[i * n_out + j] is w_ji
};

struct Network {
  std::vector<Layer> layers;
  std::string loss;
};

inline Vec activate(const std::string& h, const Vec& a) {
  Vec z(a);
  double sum = 0;
  for (double& v : z) {
    if (h == "sigmoid") v = 1 / (1 + std::exp(-v));
    if (h == "tanh") v = std::tanh(v);
    if (h == "relu") v = v > 0 ? v : 0;
    if (h == "softmax") v = std::exp(v);
    sum += v;
  }
  if (h == "softmax") {
    for (double& v : z) v /= sum;
  }
  return z;
}

// dE/da from dE/dz.
inline Vec through(const std::string& h, const Vec& a, const Vec& z, const Vec& dz) {
  Vec da(dz);
  double mean = 0;
  for (std::size_t j = 0; j < z.size(); ++j) mean += z[j] * dz[j];
  for (std::size_t j = 0; j < z.size(); ++j) {
    if (h == "sigmoid") da[j] *= z[j] * (1 - z[j]);
    if (h == "tanh") da[j] *= 1 - z[j] * z[j];
    if (h == "relu") da[j] *= a[j] > 0 ? 1 : 0;
    if (h == "softmax") da[j] = z[j] * (dz[j] - mean);
  }
  return da;
}

inline double loss_of(const std::string& loss, const Vec& y, const Vec& r) {
  double E = 0;
  for (std::size_t j = 0; j < y.size(); ++j) {
    if (loss == "log") E += -r[j] * std::log(y[j]) - (1 - r[j]) * std::log1p(-y[j]);
    if (loss == "cross_entropy") E += -r[j] * std::log(y[j]);
    if (loss == "squared_error") E += (y[j] - r[j]) * (y[j] - r[j]) / 2;
  }
  return E;
}

inline Vec loss_derivative(const std::string& loss, const Vec& y, const Vec& r) {
  Vec d(y.size());
  for (std::size_t j = 0; j < y.size(); ++j) {
    if (loss == "log") d[j] = (y[j] - r[j]) / (y[j] * (1 - y[j]));
    if (loss == "cross_entropy") d[j] = -r[j] / y[j];
    if (loss == "squared_error") d[j] = y[j] - r[j];
  }
  return d;
}

struct Pass {
  std::vector<Vec> a, z, delta;  // z[0] is x
  double E;
};

inline Pass pass(const Network& net, const Vec& x, const Vec& r) {
  Pass p;
  p.z.push_back(x);
  for (const Layer& layer : net.layers) {
    Vec a(layer.n_out);
    for (std::size_t j = 0; j < layer.n_out; ++j) {
      a[j] = layer.bias ? layer.b[j] : 0;
      for (std::size_t i = 0; i < layer.n_in; ++i) a[j] += p.z.back()[i] * layer.W[i * layer.n_out + j];
    }
    p.z.push_back(activate(layer.h, a));
    p.a.push_back(a);
  }
  p.E = loss_of(net.loss, p.z.back(), r);
  Vec dz = loss_derivative(net.loss, p.z.back(), r);
  p.delta.resize(net.layers.size());
  for (std::size_t l = net.layers.size(); l-- > 0;) {
    const Layer& layer = net.layers[l];
    p.delta[l] = through(layer.h, p.a[l], p.z[l + 1], dz);
    dz.assign(layer.n_in, 0);
    for (std::size_t i = 0; i < layer.n_in; ++i) {
      for (std::size_t j = 0; j < layer.n_out; ++j) dz[i] += p.delta[l][j] * layer.W[i * layer.n_out + j];
    }
  }
  return p;
}

// theta <- theta + scale times the gradient of one sample, as a pass found it, into another network of the same shape.
inline void add_gradient(Network& to, const Pass& p, double scale) {
  for (std::size_t l = 0; l < to.layers.size(); ++l) {
    Layer& layer = to.layers[l];
    for (std::size_t j = 0; j < layer.n_out; ++j) {
      for (std::size_t i = 0; i < layer.n_in; ++i) layer.W[i * layer.n_out + j] += scale * p.z[l][i] * p.delta[l][j];
      if (layer.bias) layer.b[j] += scale * p.delta[l][j];
    }
  }
}

}  // namespace plain
