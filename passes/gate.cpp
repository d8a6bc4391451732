// The rules of the gate, in the order in which gate.h lists them, and the choice of providers.

#include <tandem/passes/gate.h>

#include <algorithm>

#include <fmt/format.h>

#include <tandem/ir/counted.h>
#include <tandem/ir/diagnostic.h>

namespace tandem {

namespace {

bool contains(const auto& list, const auto& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

/// Why an offer cannot serve on this target at all; empty when it can.
std::string other_arch(const KernelOffer& offer, const Capabilities& target) {
  if (offer.archs.empty() || contains(offer.archs, target.arch))
    return {};
  return fmt::format("it is for {}", fmt::join(offer.archs, ", "));
}

bool serves_arch(std::string_view provider, std::string_view op, const Capabilities& target) {
  return std::any_of(target.kernels.begin(), target.kernels.end(), [&](const KernelOffer& k) {
    return k.provider == provider && k.op == op && other_arch(k, target).empty();
  });
}

std::string dtype_names(const std::vector<DType>& dtypes) {
  std::string text;
  for (DType d : dtypes)
    text += fmt::format("{}{}", text.empty() ? "" : ", ", to_string(d));
  return text;
}

/// "aiter (bf16), hip (f16)"
std::string provider_names(const std::vector<ProviderChoice>& choices) {
  std::vector<std::pair<std::string, std::vector<DType>>> by_provider;
  for (const ProviderChoice& c : choices) {
    const auto it =
        std::find_if(by_provider.begin(), by_provider.end(), [&](const auto& p) { return p.first == c.provider; });
    if (it == by_provider.end()) {
      by_provider.push_back({c.provider, {c.dtype}});
    } else {
      it->second.push_back(c.dtype);
    }
  }
  std::string text;
  for (const auto& [provider, dtypes] : by_provider) {
    text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", provider, dtype_names(dtypes));
  }
  return text;
}

/// Limits of a chosen offer that a call may still exceed.
std::string limits(const KernelOffer& offer) {
  std::string text;
  if (offer.max_rows != 0)
    text += fmt::format("at most {}", counted(offer.max_rows, "row"));
  if (offer.max_hidden != 0) {
    text += fmt::format("{}at most {}", text.empty() ? "" : ", ", counted(offer.max_hidden, "column"));
  }
  return text;
}

/// Fills in providers, and notes on what was passed over.
void choose_providers(const GateRequest& request, const PassConfig& config, const Capabilities& target,
                      GateAnswer& answer) {
  if (!target.aiter.present && target.platform == Platform::rocm) {
    answer.notes.push_back(fmt::format("aiter: absent, {}", target.aiter.reason));
  } else if (target.aiter.present && !target.aiter.reason.empty()) {
    answer.notes.push_back(fmt::format("aiter: {}", target.aiter.reason));
  }
  const std::span<const DType> wanted = request.dtypes.empty() ? all_dtypes() : std::span<const DType>(request.dtypes);
  for (DType dtype : wanted) {
    for (const KernelOffer& offer : target.kernels) {
      if (offer.op != request.kernel || !contains(offer.dtypes, dtype) || !other_arch(offer, target).empty())
        continue;
      if (offer.rounding == Rounding::relaxed && config.numerics == Numerics::exact)
        continue;
      answer.providers.push_back({dtype, offer.provider});
      break;
    }
  }
  for (const KernelOffer& offer : target.kernels) {
    if (offer.op != request.kernel)
      continue;
    std::vector<DType> relevant;
    std::copy_if(offer.dtypes.begin(), offer.dtypes.end(), std::back_inserter(relevant),
                 [&](DType d) { return contains(wanted, d); });
    const std::string who = fmt::format("{} ({})", offer.provider, dtype_names(offer.dtypes));
    const std::string reason = other_arch(offer, target);
    if (!reason.empty()) {
      if (serves_arch(offer.provider, request.kernel, target)) {
        continue;  // it has another row for this architecture, which says more
      }
      answer.notes.push_back(fmt::format("{}: not for {}, {}", who, target.arch, reason));
    } else if (relevant.empty()) {
      answer.notes.push_back(fmt::format("{}: not for {}", who, dtype_names(request.dtypes)));
    } else if (offer.rounding == Rounding::relaxed && config.numerics == Numerics::exact) {
      answer.notes.push_back(
          fmt::format("{}: not with numerics = exact, {}; numerics = relaxed admits it", who,
                      offer.preconditions.empty() ? "rounds otherwise" : offer.preconditions.front()));
    } else if (const std::string limit = limits(offer); !limit.empty()) {
      answer.notes.push_back(fmt::format("{}: {} a call, others go to the next provider", who, limit));
    }
  }
}

std::string list_of(const std::vector<Platform>& platforms) {
  std::string text;
  for (Platform p : platforms)
    text += fmt::format("{}{}", text.empty() ? "" : ", ", to_string(p));
  return text;
}

std::string no_kernel(const GateRequest& request, const Capabilities& target) {
  return fmt::format("no provider of {}{} for {}", request.kernel,
                     request.dtypes.empty() ? "" : fmt::format(" ({})", dtype_names(request.dtypes)), target.target());
}

}  // namespace

bool GateAnswer::admits(DType dtype) const {
  if (!needs_kernel)
    return true;
  return std::any_of(providers.begin(), providers.end(), [&](const ProviderChoice& c) { return c.dtype == dtype; });
}

std::uint32_t GateAnswer::dtype_bits() const {
  std::uint32_t bits = 0;
  for (DType d : all_dtypes())
    bits |= admits(d) ? 1U << static_cast<unsigned>(d) : 0U;
  return bits;
}

GateAnswer decide(const GateRequest& request, const PassConfig& config, const Capabilities& target) {
  GateAnswer answer;
  answer.needs_kernel = !request.kernel.empty();
  const Toggle flag = request.flag.empty() ? Toggle::automatic : config.flag(request.flag);
  if (flag == Toggle::off) {
    answer.rule = fmt::format("{} = off", request.flag);
    return answer;
  }
  if (flag == Toggle::automatic) {
    if (config.level < request.level) {
      answer.rule = fmt::format("{} < {}", to_string(config.level), to_string(request.level));
      return answer;
    }
    if (!request.platforms.empty() && !contains(request.platforms, target.platform)) {
      answer.rule = fmt::format("{} is not {}", to_string(target.platform), list_of(request.platforms));
      if (!request.flag.empty())
        answer.notes.push_back(fmt::format("{} = on forces it where a kernel exists", request.flag));
      return answer;
    }
  }
  if (request.numerics == Numerics::relaxed && config.numerics == Numerics::exact) {
    if (flag == Toggle::on) {
      throw Error("gate.numerics", fmt::format("{} = on, but it rounds otherwise, and numerics = exact", request.flag),
                  fmt::format("set numerics = relaxed, or {} = auto", request.flag));
    }
    answer.rule = "numerics = exact, and it rounds otherwise";
    return answer;
  }
  if (answer.needs_kernel)
    choose_providers(request, config, target, answer);
  if (answer.needs_kernel && answer.providers.empty()) {
    if (flag == Toggle::automatic) {
      answer.rule = no_kernel(request, target);
      return answer;
    }
    Diagnostic d;
    d.code = "gate.no-kernel";
    d.message = fmt::format("{} = on, but there is {}", request.flag, no_kernel(request, target));
    d.help = fmt::format("set {} = auto, or choose a target that has the kernel", request.flag);
    d.notes = answer.notes;
    throw Error(std::move(d));
  }

  answer.on = true;
  if (flag == Toggle::on) {
    answer.rule = fmt::format("{} = on", request.flag);
  } else {
    answer.rule = fmt::format("{} >= {}", to_string(config.level), to_string(request.level));
    if (!request.platforms.empty())
      answer.rule += fmt::format(", {}", to_string(target.platform));
  }
  if (answer.needs_kernel)
    answer.rule += fmt::format(", {} from {}", request.kernel, provider_names(answer.providers));
  return answer;
}

}  // namespace tandem
