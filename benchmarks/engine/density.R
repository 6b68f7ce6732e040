# density.R - a whole city as a raster of 50 m cells, by spatstat.
#
#   Rscript density.R FOLDER
#
# FOLDER holds what bench_density left. density.ppp counts the points of each
# pixel and convolves by FFT; the pixels are those of our raster, so that values
# are compared one by one. Sigma is the kernel's standard deviation.
suppressMessages(library(spatstat.explore))
folder <- commandArgs(trailingOnly = TRUE)[1]
cat("# whole-city rasters | R", as.character(getRversion()), "spatstat.explore",
    as.character(packageVersion("spatstat.explore")), "\n")
# The Gaussian of spatstat has no end, ours ends at 3 sigma.
sds <- c(quartic = 1 / sqrt(8), epanechnikov = 1 / sqrt(6), gaussian = 1 / 3)
fine <- TRUE
for (layer in c("hazard", "address")) {
    file <- file.path(folder, paste0("density-", layer, ".xy"))
    if (!file.exists(file)) next
    n <- file.size(file) / 16
    xy <- readBin(file, "double", 2 * n)
    x <- xy[seq_len(n)]; y <- xy[n + seq_len(n)]
    rm(xy)
    for (kernel in names(sds)) {
        # 12 million points are enough of a wait for one kernel.
        if (layer == "address" && kernel != "quartic") next
        about <- scan(file.path(folder, sprintf("density-%s-%s.txt", layer, kernel)), quiet = TRUE)
        columns <- about[1]; rows <- about[2]; west <- about[3]; north <- about[4]
        cell <- about[5]; h <- about[6]; own_s <- about[7]
        own <- matrix(readBin(file.path(folder, sprintf("density-%s-%s.f32", layer, kernel)),
                              "double", rows * columns, size = 4), rows, columns, byrow = TRUE)
        own <- own[rows:1, ]  # spatstat's first row is the south
        frame <- owin(west + c(0, columns * cell), north - c(rows * cell, 0))
        took <- system.time({
            p <- ppp(x, y, window = frame, check = FALSE)
            theirs <- density(p, sigma = h * sds[[kernel]], kernel = kernel, edge = FALSE,
                              dimyx = c(rows, columns))
        })[["elapsed"]]
        v <- as.matrix(theirs) * 1e6
        cat(sprintf("%-40s %9.1f ms   %.1f times as fast\n",
                    sprintf("%s, %s %g m, spatstat", layer, kernel, h), 1000 * took, took / own_s))
        off <- 100 * max(abs(v - own)) / max(own)
        cat(sprintf("  differs by %.2f %% of the largest value at most (rms %.3f %%), sums %.5f\n",
                    off, 100 * sqrt(mean((v - own)^2)) / max(own), sum(own) / sum(v)))
        fine <- fine && off < 6
    }
}
quit(status = if (fine) 0 else 1)
