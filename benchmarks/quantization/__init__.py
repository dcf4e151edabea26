"""Inference with narrow numbers: conversion by TensorFlow Lite, and LiteRT's interpreter."""
